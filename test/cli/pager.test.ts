import { expect, test } from 'vitest';

import { onTerminal } from '../support/on-terminal.js';

const onRows = async (rows: number, line: string): Promise<{ lines: readonly string[]; exitCode: number | null }> => {
  const { screen, exitCode } = await onTerminal(`stty rows ${rows} cols 200; ${line}`, { NO_COLOR: '1' });
  return { lines: screen.trimEnd().split(/\r?\n/), exitCode };
};

test('a result longer than the terminal goes to PAGER; its exit code stays, whatever the pager reads', async () => {
  const { lines, exitCode } = await onRows(20, 'PAGER="head -n 3" aisec doctor --list');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^check\s+area/);
  expect(exitCode).toBe(0);
});

test('without a pager, with one that is not there, and on a terminal that is long enough, all is written', async () => {
  for (const [rows, pager] of [
    [20, ''],
    [20, 'cat'],
    [20, 'no-such-pager -x'],
    [500, 'head -n 3'],
    // A terminal that does not say how long it is.
    [0, 'head -n 3'],
  ] as const) {
    const { lines } = await onRows(rows, `PAGER="${pager}" aisec doctor --list`);
    expect({ pager, rows, isWhole: lines.length > 80 }).toEqual({ pager, rows, isWhole: true });
  }
});

test('a pipe and --json see no pager', async () => {
  const { lines } = await onRows(20, 'PAGER="head -n 3" aisec doctor --list | cat');
  expect(lines.length).toBeGreaterThan(80);
  const json = await onRows(20, 'PAGER="head -n 3" aisec seed list --json');
  expect(JSON.parse(json.lines.join('\n'))).toMatchObject({ formatVersion: 1 });
});
