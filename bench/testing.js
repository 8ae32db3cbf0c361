// How fast is a test database, against migrating one and against clearing it by migrating again?
//
//   npm run bench:testing
//
// In CPU time, since others may use the machine meanwhile.
//
// "ready": createTestDatabase from its snapshot, at most a quarter of a new embedded database with all migrations. Measured on
// two busy cores (2026-11-30): 255 ms of 1090, 0.23; before, 360 of 977, 0.37. Of those 360, 100 were the linking of pgcrypto and pgvector,
// which PostgreSQL now loads when they are called, 80 the unpacking of the snapshot by PGlite, 27 the question for the tables and
// the making of the role, which are in the snapshot now. What is left is the engine's: 70 its start, 60 the linking of its own 4000
// functions, 40 its 700 files, 50 the collector of garbage, 15 the hash of the snapshot.
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
  const started = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(started);
  return { ms: (user + system) / 1000, result };
}

/** @param {import('../dist/testing/index.js').TestDatabase} database */
async function fill({ make }) {
  await make.message();
  await make.systemSetting();
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
  const line = (name, ms) => `${name.padEnd(34)}${ms.toFixed(1).padStart(9)} ms CPU  ${(ms / base).toFixed(4)}\n`;
  process.stdout.write(line('initdb and all migrations', base));
  process.stdout.write(line('ready from the snapshot', median(ready)));
  process.stdout.write(line('reset, rows in five tables', median(reset)));
} finally {
  rmSync(cacheDir, { recursive: true, force: true });
}
