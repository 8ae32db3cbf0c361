import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { DAY_MS } from '../../../base/duration.js';
import { listed } from '../../../base/count.js';
import { SEVERITIES } from '../../../base/finding.js';
import { nameInSql, quoteIdentifier } from '../../../base/identifier.js';
import { describeRedis } from '../../../config/redis-target.js';
import type { Check, Fault, Outcome, Severity, Subject } from '../check.js';
import { compareVersions, faultsOf, fixedVersion } from '../versions/faults-of.js';
import {
  AS_OF,
  PGVECTOR_FAULTS,
  POSTGRESQL_FAULTS,
  REDIS_FAULTS,
  VALKEY_FAULTS,
  type KnownFault,
} from '../versions/known-faults.js';
import { stateOf } from './redis-checks.js';
import { onServer } from './server-only.js';

/** PostgreSQL has a minor release each quarter of a year. */
const OLD_DAYS = 120;

interface Versions {
  readonly server_version: string;
  readonly extensions: readonly {
    readonly name: string;
    readonly installed: string;
    readonly available: string | null;
  }[];
  readonly vector_indexes: readonly { readonly name: string; readonly kind: string }[];
}

async function readVersions({ session }: Subject): Promise<Versions> {
  const { rows } = await session.query<Versions>(sqlFile('doctor/versions'));
  return rows[0] ?? { server_version: '0', extensions: [], vector_indexes: [] };
}

const worst = (severities: readonly Severity[]): Severity =>
  SEVERITIES.find((severity) => severities.includes(severity)) ?? 'notice';
const inWords = (faults: readonly KnownFault[]): string =>
  faults.map(({ name, text }) => `${name}: ${text}`).join('; ');
const sources = (faults: readonly KnownFault[]): string =>
  `Sources: ${[...new Set(faults.map(({ source }) => source))].join(', ')}; as known on ${AS_OF}`;

async function examinePostgresql(subject: Subject): Promise<Outcome> {
  const { server_version: version } = await subject.once(readVersions);
  const faults = faultsOf(version, POSTGRESQL_FAULTS);
  if (faults.length === 0) return [];
  const fixed = fixedVersion(version, faults);
  return {
    object: 'server',
    severity: worst(faults.map(({ severity }) => severity)),
    message: `PostgreSQL ${version} has known faults${fixed === undefined ? '' : `, which ${fixed} fixes`}: ${inWords(faults)}`,
    impact: `a minor release needs new packages and a restart, and no dump. ${sources(faults)}`,
    fix: null,
  };
}

async function examinePgvector(subject: Subject): Promise<Outcome> {
  const { extensions, vector_indexes: indexes } = await subject.once(readVersions);
  const vector = extensions.find(({ name }) => name === 'vector');
  if (vector === undefined) return [];
  // The code is that of the package; ALTER EXTENSION only changes what SQL sees of it.
  const { installed, available } = vector;
  const version = available !== null && compareVersions(available, installed) > 0 ? available : installed;
  const faults = faultsOf(version, PGVECTOR_FAULTS);
  const concerned = faults.filter(({ indexKind }) => indexes.some(({ kind }) => kind === indexKind));
  if (faults.length === 0) return [];
  const names = (kind: string): readonly string[] => indexes.filter((one) => one.kind === kind).map(({ name }) => name);
  const byKind = (['hnsw', 'ivfflat'] as const).flatMap((kind) => {
    const of = faults.filter(({ indexKind }) => indexKind === kind);
    if (of.length === 0) return [];
    const own = names(kind);
    return [`${kind} (${own.length === 0 ? 'no such index here' : listed(own)}): ${inWords(of)}`];
  });
  return {
    object: 'vector',
    severity: worst(concerned.map(({ severity }) => severity)),
    message: `pgvector ${version} has known faults, which ${fixedVersion(version, faults) ?? 'a later version'} fixes: ${byKind.join('. ')}`,
    impact: `install the newer package, unless yours has the fixes, then run alter extension vector update${names('hnsw').length > 0 ? ' and reindex index concurrently the hnsw indexes' : ''}. ${sources(faults)}`,
    fix: null,
  };
}

async function examineExtensions(subject: Subject): Promise<Outcome> {
  const { extensions } = await subject.once(readVersions);
  return extensions
    .filter(({ installed, available }) => available !== null && compareVersions(installed, available) < 0)
    .map(({ name, installed, available }): Fault => ({
      object: nameInSql(name),
      message: `extension ${nameInSql(name)} is of version ${installed}, and its package is of ${available ?? '?'}`,
      impact: 'what pg_upgrade or a new package leaves; reports that read its views lack columns or fail',
      fix: `alter extension ${quoteIdentifier(name)} update;`,
    }));
}

async function examineRedis(subject: Subject): Promise<Outcome> {
  const { redis } = subject;
  const state = await subject.once(stateOf);
  if (redis === null || state === null) return { notApplicable: 'REDIS_URL is not set' };
  const { error, facts } = state;
  if (error !== null) return { notApplicable: 'redis-unreachable reports why Redis was not asked' };
  const isValkey = facts.valkeyVersion !== null;
  const version = facts.valkeyVersion ?? facts.version;
  const faults = faultsOf(version, isValkey ? VALKEY_FAULTS : REDIS_FAULTS);
  if (faults.length === 0) return [];
  const fixed = fixedVersion(version, faults);
  return {
    object: `${redis.host}:${redis.port}`,
    message: `${describeRedis(redis)} is ${isValkey ? 'Valkey' : 'Redis'} ${version}, which has known faults${fixed === undefined ? ', and no fix for its series is known' : ` that ${fixed} fixes`}: ${inWords(faults)}`,
    impact: `distributions often have the fixes under the old number: look into the changes of your package. ${sources(faults)}`,
    fix: null,
  };
}

function examineTable(): Promise<Outcome> {
  const days = Math.floor((Date.now() - Date.parse(AS_OF)) / DAY_MS);
  if (days <= OLD_DAYS) return Promise.resolve([]);
  return Promise.resolve([
    {
      object: 'table',
      message: `the known faults of versions that this aisec was made with are ${days} days old (${AS_OF})`,
      impact: 'what was found since is not reported: update aisec, or see https://www.postgresql.org/support/security/',
      fix: null,
    },
  ]);
}

export const VERSION_CHECKS: readonly Check[] = [
  {
    id: 'version-postgresql',
    area: 'versions',
    severity: 'critical',
    title: 'a PostgreSQL with faults that a later minor release fixes',
    examine: onServer(examinePostgresql),
  },
  {
    id: 'version-pgvector',
    area: 'versions',
    severity: 'notice',
    title: 'a pgvector with known faults, and which indexes they concern; a warning where there is an hnsw index',
    examine: onServer(examinePgvector),
  },
  {
    id: 'version-redis',
    area: 'versions',
    severity: 'notice',
    title: 'a Redis or Valkey with faults that a later version fixes',
    examine: onServer(examineRedis),
  },
  {
    id: 'version-extension',
    area: 'versions',
    severity: 'notice',
    title: 'extensions older than their installed package',
    examine: onServer(examineExtensions),
  },
  {
    id: 'version-table',
    area: 'versions',
    severity: 'notice',
    title: `what is known of faulty versions is older than ${OLD_DAYS} days`,
    examine: examineTable,
  },
];
