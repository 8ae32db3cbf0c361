// `aisec backup` beside the design document's `pg_dump -Fc -Z9` and beside bare pg_dump of the same settings, and
// `aisec restore` beside plain pg_restore.
//
//   npm run bench:backup [messages] [embeddings]   default 180,000 and 24,000, about 500 MB; needs a PostgreSQL server of
//                                                  this machine with a superuser, and its client programs in PATH:
//                                                  eval "$(test/support/services up)"
//
// CPU is that of the client, with all of its children; the server's is the same for each dump.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { measure } from './measure.js';
import { megabytes, ms, printFigures } from './support/figures.js';
import {
  connect,
  dropDatabase,
  machineLoad,
  migratedDatabase,
  onServer,
  runAisecWell,
  urlOf,
} from './support/server.js';

const [MESSAGES = '180000', EMBEDDINGS = '24000'] = process.argv.slice(2);
const database = 'aisec_bench_backup';
const restored = `${database}_restored`;
const program = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const env = { DATABASE_URL: urlOf(database) };
/** @param {string} name */
const sizeOf = (name) => statSync(path.join(directory, name)).size;

console.log(`load before: ${machineLoad()}`);
/** @type {{ figure: string, value: string, target?: string }[]} */
const figures = [];
/** @param {string} figure @param {{ wallMs: number, cpuMs: number }} run @param {number} [sizeBytes] */
const show = (figure, run, sizeBytes) => {
  const size = sizeBytes === undefined ? '' : `, ${megabytes(sizeBytes)}`;
  figures.push({ figure, value: `${ms(run.wallMs)}, CPU ${ms(run.cpuMs)}${size}` });
};
/** @param {string} figure @param {number} value @param {string} target */
const ratio = (figure, value, target) => figures.push({ figure, value: value.toFixed(2), target });

await migratedDatabase(database);
try {
  await runAisecWell(database, ['seed', 'demo', '--messages', MESSAGES, '--embeddings', EMBEDDINGS, '--yes']);
  await runAisecWell(database, ['vector', 'rebuild', '--method', 'hnsw']);
  const admin = await connect(database);
  const { rows } = await admin.query('select pg_database_size(current_database()) as size');
  await admin.end();
  figures.push({ figure: 'database, with an hnsw index', value: megabytes(Number(rows[0].size)) });

  /** @param {string} compress @param {string} file */
  const dump = (compress, file) =>
    measure('pg_dump', ['-Fc', `--compress=${compress}`, '-f', path.join(directory, file), env.DATABASE_URL]);
  const best = (/** @type {() => { wallMs: number, cpuMs: number }} */ run) =>
    [run(), run(), run()].toSorted((a, b) => a.wallMs - b.wallMs)[0] ?? run();
  const bare = best(() => dump('zstd:1', 'bare'));
  const ours = best(() => {
    rmSync(path.join(directory, 'ours'), { recursive: true, force: true });
    return measure(process.execPath, [program, 'backup', '--dir', path.join(directory, 'ours'), '--quiet'], env);
  });
  const naive = dump('gzip:9', 'naive');
  const archive = readdirSync(path.join(directory, 'ours')).find((name) => name.endsWith('.dump')) ?? '';
  const size = sizeOf(path.join('ours', archive));
  show('pg_dump -Fc -Z9, as the document has it', naive, sizeOf('naive'));
  show('pg_dump -Fc zstd:1', bare, sizeOf('bare'));
  show('aisec backup', ours, size);
  ratio('times faster than -Z9', naive.wallMs / ours.wallMs, 'at least 10');
  ratio('times less client CPU than -Z9', naive.cpuMs / ours.cpuMs, 'at least 10');
  ratio('size, of that of -Z9', size / sizeOf('naive'), 'at most 1.05');
  ratio('time, of bare pg_dump with the same settings', ours.wallMs / bare.wallMs, 'at most 1.40');

  await onServer(`create database ${restored} template template0`);
  const file = path.join(directory, 'ours', archive);
  const plain = measure('pg_restore', ['--exit-on-error', '-d', urlOf(restored), file]);
  await dropDatabase(restored);
  const fast = measure(process.execPath, [program, 'restore', file, '--create', restored, '--quiet'], env);
  show('pg_restore, without ANALYZE', plain);
  show('aisec restore, with ANALYZE and both comparisons', fast);
  ratio('times faster than pg_restore', plain.wallMs / fast.wallMs, 'at least 2');
} finally {
  await dropDatabase(restored);
  await dropDatabase(database);
  rmSync(directory, { recursive: true, force: true });
}
printFigures(figures);
console.log(`load after: ${machineLoad()}`);
