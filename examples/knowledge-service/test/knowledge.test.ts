import assert from 'node:assert/strict';
import process from 'node:process';
import { after, afterEach, before, test } from 'node:test';

import { createCache, EMBEDDING_DIMENSIONS } from 'aisec';
import { createTestCache, createTestDatabase, type TestDatabase } from 'aisec/testing';

import { factsInPrompt, recall, remember } from '../src/knowledge.js';

// On a server the real cache, which listens over a connection of its own; in the process one that reads at every call.
const url = process.env['TEST_DATABASE_URL'];
let database: TestDatabase;
before(async () => {
  database = await createTestDatabase(url === undefined ? {} : { url });
});
afterEach(() => database.reset());
after(() => database.close());

/** A direction between two axes. */
function embedding(angle: number): number[] {
  return Array.from({ length: EMBEDDING_DIMENSIONS }, (_, axis) =>
    axis === 0 ? Math.cos(angle) : axis === 1 ? Math.sin(angle) : 0,
  );
}

async function addAssistant(username: string): Promise<{ userId: string; assistantId: string }> {
  const user = await database.make.user({ username });
  const assistant = await database.make.assistant({ user });
  return { userId: user.id, assistantId: assistant.id };
}

test('the nearest facts come first, and only those of the user', async () => {
  const [ada, bob] = [await addAssistant('ada'), await addAssistant('bob')];
  for (const [content, angle] of [
    ['far', 1.5],
    ['near', 0.1],
    ['nearer', 0.05],
  ] as const)
    await remember(database.db, ada.userId, { assistantId: ada.assistantId, content, embedding: embedding(angle) });
  await remember(database.db, bob.userId, { assistantId: bob.assistantId, content: 'secret', embedding: embedding(0) });
  assert.deepEqual(await recall(database.db, ada.userId, embedding(0), 2), ['nearer', 'near']);
  assert.deepEqual(await recall(database.db, bob.userId, embedding(0), 2), ['secret']);
});

test('a setting is read from the cache, and changed there when it is changed', async () => {
  const cache = database.url === undefined ? createTestCache(database) : createCache({ url: database.url });
  try {
    assert.equal(await factsInPrompt(cache), 5);
    await database.make.systemSetting({ key: 'facts_in_prompt', value: JSON.stringify(8) });
    await cache.sync();
    assert.equal(await factsInPrompt(cache), 8);
  } finally {
    await cache.close();
  }
});
