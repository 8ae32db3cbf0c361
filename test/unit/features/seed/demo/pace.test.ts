import { expect, test } from 'vitest';

import { Pace } from '../../../../../src/features/seed/demo/pace.js';
import type { DemoTable } from '../../../../../src/features/seed/demo/table.js';

test('the progress of demo rows tells the table, the counts, the rate and the time left', () => {
  const table = (name: DemoTable['table'], count: number): DemoTable => ({ table: name, count, rows: () => [] });
  const [users, messages] = [table('users', 10), table('messages', 2_000_000)];
  const lines: string[] = [];
  const pace = new Pace([users, messages], (text) => lines.push(text));
  pace.add(users, 10);
  pace.add(messages, 1000);
  pace.add(messages, 500);
  expect(lines[0]).toMatch(/^users: 10 of 10 rows, [\d,]+ rows\/s, .+ left for all tables$/);
  expect(lines.at(-1)).toMatch(/^messages: 1,500 of 2,000,000 rows, [\d,]+ rows\/s, .+ left for all tables$/);
});
