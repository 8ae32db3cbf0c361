import { describe, expect, test } from 'vitest';

import { demoTables } from '../../../../../src/features/seed/demo/demo-tables.js';
import type { DemoOptions } from '../../../../../src/features/seed/demo/options.js';
import { planDemo } from '../../../../../src/features/seed/demo/plan.js';

const OPTIONS: DemoOptions = {
  users: 7,
  conversations: 30,
  messages: 1200,
  embeddings: 20,
  months: 2,
  seed: 'a',
  locale: 'en',
  until: '2025-06-15',
};

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

function rowsOf(options: DemoOptions): Rows {
  return Object.fromEntries(demoTables(planDemo(options), 'hash').map(({ table, rows }) => [table, [...rows()]]));
}

describe('demo rows', () => {
  test.each([
    ['as many as promised', {}],
    ['few of everything', { users: 1, conversations: 1, messages: 1, embeddings: 1, months: 1 }],
    ['users alone', { conversations: 0, messages: 0, embeddings: 0 }],
    ['conversations without messages', { messages: 0 }],
    ['more conversations than messages', { conversations: 300, messages: 100 }],
    ['one conversation of thousands', { conversations: 1, messages: 9999, months: 1 }],
  ] as const)('are %s, each with the same columns, none after the end', (_, wanted) => {
    const options = { ...OPTIONS, ...wanted };
    for (const { table, count, rows } of demoTables(planDemo(options), 'hash')) {
      const made = [...rows()];
      expect(made.length, table).toBe(count);
      const [first = {}] = made;
      for (const row of made) expect(Object.keys(row), table).toEqual(Object.keys(first));
    }
    const { messages = [] } = rowsOf(options);
    expect(messages.length).toBe(options.messages);
    for (const { created_at: created } of messages) expect(String(created) < '2025-06-15').toBe(true);
  });

  test('have texts without an empty slot in both languages', () => {
    for (const locale of ['ja', 'en'] as const) {
      const { messages = [], conversations = [], knowledge_base: knowledge = [] } = rowsOf({ ...OPTIONS, locale });
      const texts = [
        ...messages.map(({ content }) => content),
        ...conversations.map(({ title }) => title),
        ...knowledge.map(({ content }) => content),
      ];
      for (const text of texts) expect(text).not.toMatch(/\{[a-z]+\}|undefined|NaN/);
    }
  });

  test('are others with another seed, keys and login names included', () => {
    const [one, two] = [rowsOf(OPTIONS), rowsOf({ ...OPTIONS, seed: 'b' })];
    for (const key of ['id', 'username', 'email']) {
      const values = [...(one['users'] ?? []), ...(two['users'] ?? [])].map((row) => row[key]);
      expect(new Set(values).size).toBe(14);
    }
  });

  test('keep conversations in the order of time, and messages of one strictly so, right up to the end', () => {
    const { conversations = [], messages = [] } = rowsOf({
      ...OPTIONS,
      conversations: 2000,
      messages: 6000,
      months: 1,
    });
    const started = conversations.map((row) => String(row['started_at']));
    expect(started).toEqual(started.toSorted());
    const last = new Map<unknown, string>();
    for (const { conversation_id: conversation, created_at: created } of messages) {
      expect(String(created) > (last.get(conversation) ?? '')).toBe(true);
      last.set(conversation, String(created));
    }
  });

  test('come nobody before he joined', () => {
    const {
      users = [],
      conversations = [],
      assistants = [],
      knowledge_base: knowledge = [],
    } = rowsOf({ ...OPTIONS, users: 40 });
    const joined = new Map(users.map((row) => [row['id'], String(row['created_at'])]));
    const owner = new Map(assistants.map((row) => [row['id'], row['user_id']]));
    for (const row of conversations) {
      expect(owner.get(row['assistant_id'])).toBe(row['user_id']);
      expect(String(row['started_at']) >= (joined.get(row['user_id']) ?? 'z')).toBe(true);
    }
    for (const row of knowledge)
      expect(String(row['created_at']) >= (joined.get(owner.get(row['secretary_id'])) ?? 'z')).toBe(true);
  });
});
