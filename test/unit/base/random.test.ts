import { describe, expect, test } from 'vitest';

import { hashText, Random } from '../../../src/base/random.js';

const many = <Item>(count: number, make: (index: number) => Item): readonly Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('random numbers', () => {
  test('are the same for the same seed and differ for every other', () => {
    const first = (root: number, stream: number, index: number): number => new Random(root, stream, index).bits();
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    const seeds = many(10, (root) => many(10, (stream) => many(10, (index) => first(root, stream, index)))).flat(2);
    expect(new Set(seeds).size).toBe(1000);
  });

  test('stay what they are from one release to the next, or every seed would mean other rows', () => {
    const random = new Random(hashText('ja:1'), hashText('1:users'), 0);
    expect([random.uuid(), random.bits(), random.fraction()]).toMatchInlineSnapshot(`
      [
        "a14d3ebe-a3b1-4d1f-8038-eb169eabcbf3",
        1180533200,
        0.9619716946035624,
      ]
    `);
  });

  test('are spread evenly over the range asked for', () => {
    const random = new Random(7, 7, 7);
    const counts = many(10, () => 0) as number[];
    for (let draw = 0; draw < 100_000; draw += 1) {
      const value = random.below(10);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  test('make version 4 UUIDs, no two alike', () => {
    const ids = many(20_000, (index) => new Random(1, 1, index).uuid());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('of a normal distribution have mean 0 and deviation 1', () => {
    const random = new Random(3, 1, 4);
    const values = many(50_000, () => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});
