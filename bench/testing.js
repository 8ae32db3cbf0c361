// How fast is a test database, against migrating one and against clearing it by migrating again?
//
//   npm run bench:testing
//
// "ready": createTestDatabase from its snapshot, at most a quarter of a new embedded database with all migrations.
// "reset": with rows in five tables, at most a fiftieth of the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { createTestDatabase } from '../dist/testing/index.js';

const ROUNDS = 5;
/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * @template Result
 * @param {() => Promise<Result>} run
 */
async function timed(run) {
  const startedMs = performance.now();
  const result = await run();
  return { ms: performance.now() - startedMs, result };
}

/** @param {import('../dist/testing/index.js').TestDatabase} database */
async function fill({ db }) {
  const user = { username: 'bench', email: 'bench@example.com', password_hash: 'x' };
  const { id } = await db.insertInto('users').values(user).returning('id').executeTakeFirstOrThrow();
  const assistant = await db
    .insertInto('assistants')
    .values({ user_id: id, name: 'a' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const conversation = await db
    .insertInto('conversations')
    .values({ user_id: id, assistant_id: assistant.id })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db.insertInto('messages').values({ conversation_id: conversation.id, role: 'user', content: 'x' }).execute();
}

const cacheDir = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
try {
  /** @type {Record<'migrate' | 'ready' | 'reset', number[]>} */
  const { migrate, ready, reset } = { migrate: [], ready: [], reset: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rmSync(cacheDir, { recursive: true, force: true });
    const first = await timed(() => createTestDatabase({ cacheDir }));
    await first.result.close();
    const second = await timed(() => createTestDatabase({ cacheDir }));
    // The first call does what the second does, too.
    migrate.push(first.ms - second.ms);
    ready.push(second.ms);
    for (let again = 0; again < ROUNDS; again += 1) {
      await fill(second.result);
      reset.push((await timed(() => second.result.reset())).ms);
    }
    await second.result.close();
  }
  const base = median(migrate);
  /** @param {string} name @param {number} ms */
  const line = (name, ms) => `${name.padEnd(34)}${ms.toFixed(1).padStart(9)} ms  ${(ms / base).toFixed(4)}\n`;
  process.stdout.write(line('initdb and all migrations', base));
  process.stdout.write(line('ready from the snapshot', median(ready)));
  process.stdout.write(line('reset, rows in five tables', median(reset)));
} finally {
  rmSync(cacheDir, { recursive: true, force: true });
}
