import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { createTestDatabase, type TestDatabase } from 'aisec/testing';

import { addMessage, history, startConversation } from '../src/chat.js';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.reset());
after(() => database.close());

async function addUser(username: string): Promise<string> {
  return (await database.make.user({ username })).id;
}

test('a user reads what was said, in order, and no other user does', async () => {
  const [ada, bob] = [await addUser('ada'), await addUser('bob')];
  const conversation = await startConversation(database.db, ada, 'Engines');
  await addMessage(database.db, ada, { conversation_id: conversation, role: 'user', content: 'Hello' });
  await addMessage(database.db, ada, { conversation_id: conversation, role: 'assistant', content: 'Good day' });
  assert.deepEqual(await history(database.db, ada, conversation), [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Good day' },
  ]);
  assert.deepEqual(await history(database.db, bob, conversation), []);
});

test('no user writes into the conversation of another, and what is not a message is refused', async () => {
  const [ada, bob] = [await addUser('ada'), await addUser('bob')];
  const conversation = await startConversation(database.db, ada, 'Engines');
  const message = { conversation_id: conversation, role: 'user', content: 'Mine now' };
  await assert.rejects(addMessage(database.db, bob, message), { code: '42501' });
  await assert.rejects(addMessage(database.db, ada, { ...message, role: 'robot' }), { name: 'ZodError' });
  assert.deepEqual(await history(database.db, ada, conversation), []);
});
