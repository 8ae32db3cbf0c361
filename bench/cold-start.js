// How long a function that was bundled takes from its start to the answer of its first request, beyond Node's own start.
//
//   npm run bench:cold [rounds]      default 15; needs a PostgreSQL server with a superuser: AISEC_TEST_DATABASE_URL
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';

import { measure, median, printRatio } from './measure.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, urlOf } from './support/server.js';

const ROUNDS = Number(process.argv[2] ?? 15);
const MOST_MS = 300;
const database = 'aisec_bench_cold';
const user = '10000000-0000-4000-8000-000000000001';
const library = path.join(import.meta.dirname, '..', 'dist', 'library', 'index.js');

console.log(`load before: ${machineLoad()}`);
const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-cold-'));
await migratedDatabase(database);
try {
  const admin = await connect(database);
  await admin.query(`insert into users (id, username, email, password_hash) values ('${user}', 'u', 'u@x', 'h')`);
  await admin.query(`insert into conversations (user_id, title) values ('${user}', 'c')`);
  await admin.end();
  const entry = path.join(directory, 'entry.mjs');
  writeFileSync(
    entry,
    `import { createDatabase, withUser } from ${JSON.stringify(library)};
     const db = createDatabase({ poolSize: 1 });
     const rows = await withUser(db, '${user}', (trx) => trx.selectFrom('conversations').select('title').execute());
     process.exit(rows.length === 1 ? 0 : 1);`,
  );
  const outfile = path.join(directory, 'app.mjs');
  await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    absWorkingDir: path.join(import.meta.dirname, '..'),
    nodePaths: [path.join(import.meta.dirname, '..', 'node_modules')],
    outfile,
    logLevel: 'error',
  });
  const nothing = path.join(directory, 'nothing.mjs');
  writeFileSync(nothing, '');
  execFileSync(process.execPath, [outfile], { env: { ...process.env, DATABASE_URL: urlOf(database) } });
  /** @type {Record<string, number[]>} */
  const walls = { node: [], app: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    walls['node']?.push(measure(process.execPath, [nothing]).wallMs);
    walls['app']?.push(measure(process.execPath, [outfile], { DATABASE_URL: urlOf(database) }).wallMs);
  }
  const [node, app] = [median(walls['node'] ?? []), median(walls['app'] ?? [])];
  console.log(`Node alone ${node.toFixed(0)} ms, first answer after ${app.toFixed(0)} ms, medians of ${ROUNDS}`);
  printRatio(`the first request beyond Node's start, against ${MOST_MS} ms`, (app - node) / MOST_MS, 1);
} finally {
  await dropDatabase(database);
  rmSync(directory, { recursive: true, force: true });
}
console.log(`load after: ${machineLoad()}`);
