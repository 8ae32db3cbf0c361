// Speed of `monitor tables` and of `doctor`, as ratios against psql running the size query of the design document (by oid, as it should be), measured
// in turn on the same database of 200 months with demo rows and vectors.
//
//   npm run bench:monitor        needs a PostgreSQL server: AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { measure, medians, printRatio } from './measure.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, runAisecWell, urlOf } from './support/server.js';

const ROUNDS = Number(process.env['AISEC_BENCH_ROUNDS'] ?? 9);
const MONTHS_BACK = 196;
const database = 'aisec_bench_monitor';
const aisec = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
// Without a backup doctor ends with a finding.
const backups = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const sizes = `select n.nspname, c.relname, pg_size_pretty(pg_total_relation_size(c.oid)) as size, pg_total_relation_size(c.oid) as size_bytes
from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') order by 4 desc`;

try {
  await migratedDatabase(database);
  await runAisecWell(database, [
    'seed',
    'demo',
    '--yes',
    '--users',
    '50',
    '--messages',
    '20000',
    '--embeddings',
    '500',
    '--months',
    '12',
  ]);
  const client = await connect(database);
  await client.query(
    `select ensure_message_partitions(3, (date_trunc('month', now()) - interval '${MONTHS_BACK} months')::date)`,
  );
  await client.query(
    `insert into users (username, email, password_hash) values ('admin', 'admin@ai-secretary.local', hash_password('bench-only-river'))`,
  );
  await client.query('analyze');
  await client.end();
  await runAisecWell(database, ['backup', '--dir', backups]);
  const env = { DATABASE_URL: urlOf(database), AISEC_BACKUP_DIR: backups };

  const runs = medians(ROUNDS, {
    psql: () => measure('psql', ['-X', '-q', '-d', urlOf(database), '-c', sizes]),
    tables: () => measure(process.execPath, [aisec, 'monitor', 'tables', '--quiet'], env),
    doctor: () => measure(process.execPath, [aisec, 'doctor', '--fail-on', 'critical', '--quiet'], env),
  });
  console.log(
    `psql ${runs.psql.wallMs} ms, monitor tables ${runs.tables.wallMs} ms, doctor ${runs.doctor.wallMs} ms; ${machineLoad()}`,
  );
  printRatio('monitor tables / psql with the size query, wall', runs.tables.wallMs / runs.psql.wallMs, 3);
  printRatio('doctor / psql with the size query, wall', runs.doctor.wallMs / runs.psql.wallMs, 10);
} finally {
  await dropDatabase(database);
  rmSync(backups, { recursive: true, force: true });
}
