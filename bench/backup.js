// `aisec backup` beside bare pg_dump of the same settings, as one file and as a directory that two jobs write, and beside the design
// document's `pg_dump -Fc -Z9`; `aisec restore` beside the fastest plain pg_restore; `aisec backup --store` with 1,000 copies there
// beside one with none.
//
//   npm run bench:backup [messages] [embeddings] [part ...]
//                        default 180,000 and 24,000, about 500 MB; 600,000 and 50,000 are about 1.4 GB. Parts, to measure in
//                        several runs: make, dump, jobs, document, restore, copies, drop; default: all. Needs a PostgreSQL
//                        server of this machine with a superuser, its client programs in PATH, and for "copies" root:
//                        eval "$(test/support/services up)"
//
// CPU is that of the client, with all of its children; the server's is the same for each dump. What is compared is run in turns: the
// ratio is that of the best of each, and beside it stand the least and the median of the pairs, which say more on a busy machine.
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { measure, median } from './measure.js';
import { measureCopies } from './support/copies.js';
import { megabytes, ms, printFigures } from './support/figures.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, psql, runAisecWell, urlOf } from './support/server.js';

const [MESSAGES = '180000', EMBEDDINGS = '24000', ...PARTS] = process.argv.slice(2);
const DUMPS = 3;
const RESTORES = 2;
const database = 'aisec_bench_backup';
const restored = `${database}_restored`;
const program = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const ours = path.join(directory, 'ours');
const env = { DATABASE_URL: urlOf(database) };

/** @typedef {{ wallMs: number, cpuMs: number }} Run */
/** @type {{ figure: string, value: string, target?: string }[]} */
const figures = [];
/** @param {string} figure @param {Run} run @param {number} [sizeBytes] */
const show = (figure, run, sizeBytes) => {
  const size = sizeBytes === undefined ? '' : `, ${megabytes(sizeBytes)}`;
  figures.push({ figure, value: `${ms(run.wallMs)}, CPU ${ms(run.cpuMs)}${size}` });
};
/** @param {string} figure @param {number} value @param {string} target @param {readonly number[]} [pairs] */
const ratio = (figure, value, target, pairs) => {
  const spread = pairs ? ` (pairs: ${Math.min(...pairs).toFixed(2)}, median ${median(pairs).toFixed(2)})` : '';
  figures.push({ figure, value: `${value.toFixed(2)}${spread}`, target });
};
/** The quickest of two, run in turns, and the ratio of each pair. @param {number} rounds @param {() => Run} one @param {() => Run} other */
const best = (rounds, one, other) => {
  const times = Array.from({ length: rounds }, /** @returns {[Run, Run]} */ () => [one(), other()]);
  const pairs = times.map(([first, second]) => second.wallMs / first.wallMs);
  const quickest = (/** @type {0 | 1} */ which) =>
    /** @type {Run} */ (times.map((pair) => pair[which]).toSorted((a, b) => a.wallMs - b.wallMs)[0]);
  return /** @type {const} */ ([quickest(0), quickest(1), pairs]);
};

/** @param {string} compress @param {string} name */
const plainDump = (compress, name) =>
  measure('pg_dump', ['-Fc', `--compress=${compress}`, '-f', path.join(directory, name), env.DATABASE_URL]);
/** @param {readonly string[]} args */
const ourDumpWith = (...args) => {
  rmSync(ours, { recursive: true, force: true });
  return measure(process.execPath, [program, 'backup', '--dir', ours, '--quiet', ...args], env);
};
const ourDump = () => ourDumpWith();
/** Of the last dump; of a new one where there is none. @returns {string} */
const archive = () => {
  const names = existsSync(ours) ? readdirSync(ours) : [];
  const name = names.find((each) => each.endsWith('.dump'));
  if (name !== undefined) return path.join(ours, name);
  ourDump();
  return archive();
};
/** Into a new database, without the time to drop it. @param {() => Run} run */
const restoreBy = (run) => () => {
  psql('postgres', `drop database if exists ${restored} with (force)`);
  return run();
};

/** @type {Record<string, () => void | Promise<void>>} */
const parts = {
  async make() {
    await migratedDatabase(database);
    await runAisecWell(database, ['seed', 'demo', '--messages', MESSAGES, '--embeddings', EMBEDDINGS, '--yes']);
    await runAisecWell(database, ['vector', 'rebuild', '--method', 'hnsw']);
    const admin = await connect(database);
    const { rows } = await admin.query('select pg_database_size(current_database()) as size');
    await admin.end();
    figures.push({ figure: 'database, with an hnsw index', value: megabytes(Number(rows[0].size)) });
  },
  dump() {
    const [bare, made, pairs] = best(DUMPS, () => plainDump('zstd:1', 'bare'), ourDump);
    show('pg_dump -Fc zstd:1', bare, statSync(path.join(directory, 'bare')).size);
    show('aisec backup', made, statSync(archive()).size);
    ratio('backup, of bare pg_dump with the same settings', made.wallMs / bare.wallMs, 'at most 1.25', pairs);
  },
  // A backup is one file (docs/adr/0032): what it takes beside a directory that two sessions write, and beside one session of its own.
  jobs() {
    const folder = path.join(directory, 'folder');
    const byTwo = () => {
      rmSync(folder, { recursive: true, force: true });
      return measure('pg_dump', ['-Fd', '-j2', '--compress=zstd:1', '-f', folder, env.DATABASE_URL]);
    };
    const ourTwo = () => ourDumpWith('--jobs', '2');
    const [two, made, pairs] = best(DUMPS, byTwo, ourTwo);
    show('pg_dump -Fd -j2 zstd:1', two);
    show('aisec backup --jobs 2, in turns with it', made);
    ratio('backup --jobs 2, of pg_dump by two jobs', made.wallMs / two.wallMs, 'at most 1.25', pairs);
    const [one, again, others] = best(DUMPS, ourDump, ourTwo);
    show('aisec backup', one);
    show('aisec backup --jobs 2, in turns with that', again);
    ratio('backup --jobs 2, of one session', again.wallMs / one.wallMs, 'below 1 with more than two cores', others);
  },
  document() {
    const naive = plainDump('gzip:9', 'naive');
    const made = ourDump();
    const [naiveSize, size] = [statSync(path.join(directory, 'naive')).size, statSync(archive()).size];
    show('pg_dump -Fc -Z9, as the document has it', naive, naiveSize);
    ratio('times faster than -Z9', naive.wallMs / made.wallMs, 'at least 10');
    ratio('times less client CPU than -Z9', naive.cpuMs / made.cpuMs, 'at least 10');
    ratio('size, of that of -Z9', size / naiveSize, 'at most 1.05');
  },
  restore() {
    const file = archive();
    const plain = restoreBy(() => {
      psql('postgres', `create database ${restored} template template0`);
      return measure('pg_restore', ['--exit-on-error', '-d', urlOf(restored), file], {
        PGOPTIONS: '-c maintenance_work_mem=1GB',
      });
    });
    const checked = restoreBy(() =>
      measure(process.execPath, [program, 'restore', file, '--create', restored, '--quiet'], env),
    );
    const [quickest, made, pairs] = best(RESTORES, plain, checked);
    show('pg_restore -j1 with 1 GB of maintenance_work_mem, without ANALYZE', quickest);
    show('aisec restore, with ANALYZE and both comparisons', made);
    ratio('restore, of that pg_restore', made.wallMs / quickest.wallMs, 'at most 1.20', pairs);
  },
  async copies() {
    const { none, many, first } = await measureCopies(directory);
    show('aisec backup --store, small database, no copies there', none);
    show('the same with 1,000 copies there', many);
    show('the same, where no run has read them yet', first);
    ratio('backup --store with 1,000 copies, of one with none', many.wallMs / none.wallMs, 'at most 1.50');
  },
  async drop() {
    await dropDatabase(restored);
    await dropDatabase(database);
  },
};

console.log(`load before: ${machineLoad()}`);
try {
  for (const part of PARTS.length === 0 ? Object.keys(parts) : PARTS) {
    const run = parts[part];
    if (run === undefined) throw new Error(`invalid part "${part}", expected ${Object.keys(parts).join(', ')}`);
    await run();
  }
} finally {
  if (PARTS.length === 0) await parts['drop']?.();
  rmSync(directory, { recursive: true, force: true });
}
printFigures(figures);
console.log(`load after: ${machineLoad()}`);
