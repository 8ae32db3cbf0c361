import { all, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { formatBytes } from '../../../../../base/bytes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type LintedStatement, type RelationFacts, type Surroundings } from '../../rule.js';

const MIB = 1024 * 1024;
const BEFORE =
  'create extension if not exists vector;\ncreate table notes (id bigint primary key, embedding vector(1536));';
const INDEX = 'create index idx_notes_embedding on notes using hnsw (embedding vector_cosine_ops);';

interface HnswBuild {
  readonly name: string;
  readonly table: RelationFacts;
  readonly dimensions: number | undefined;
  readonly m: number;
}

/** An hnsw index on a table that is there. */
function hnswBuild(statement: LintedStatement, { existing }: Surroundings): HnswBuild | undefined {
  const index = statementOf('IndexStmt', statement);
  const table = existing(index?.relation);
  if (index?.accessMethod !== 'hnsw' || table === undefined) return undefined;
  const column = all('IndexElem', index.indexParams)[0]?.name;
  const type = table.columns.find(({ name }) => name === column)?.type ?? '';
  const dimensions = /^vector\((\d+)\)$/.exec(type)?.[1];
  const m = /\bm\s*=\s*(\d+)/i.exec(statement.text)?.[1];
  return {
    name: index.idxname ?? table.name,
    table,
    dimensions: dimensions === undefined ? undefined : Number(dimensions),
    m: Number(m ?? 16),
  };
}

/** Whether the file sets a parameter before. */
function isSet(name: string, { statements }: Surroundings): boolean {
  return statements.some((other) => statementOf('VariableSetStmt', other)?.name === name);
}

/** The graph with its vectors, by pgvector 0.8's own sizes, a little more. */
function graphBytes(rows: number, dimensions: number, m: number): number {
  return rows * (8 + 4 * dimensions + 48 * m + 300);
}

export const vectorIndexMemory = statementRule({
  id: 'vector-index-memory',
  severity: 'warning',
  title: 'an hnsw index whose graph does not fit into maintenance_work_mem',
  impact:
    'Once the memory is used up, each further row is inserted on disk, which takes many times as long. Needs a connected server: its rows and its setting count.',
  example: {
    before: BEFORE,
    server: { vectorVersion: '0.8.2', maintenanceBytes: 64 * MIB, parallelWorkers: 2 },
    rows: 500_000,
    bad: INDEX,
    good: `set local maintenance_work_mem = '4GB';\n${INDEX}`,
  },
  check: (statement, surroundings) => {
    const build = hnswBuild(statement, surroundings);
    const rows = build?.table.rows;
    const { server } = surroundings;
    if (build?.dimensions === undefined || rows === undefined || server === undefined) return [];
    const needed = graphBytes(rows, build.dimensions, build.m);
    if (needed <= server.maintenanceBytes || isSet('maintenance_work_mem', surroundings)) return [];
    const wanted = `${Math.ceil(needed / MIB)}MB`;
    return {
      object: build.name,
      message: `index ${nameInSql(build.name)} needs about ${formatBytes(needed)} for ${Math.round(rows).toLocaleString('en')} rows, and maintenance_work_mem is ${formatBytes(server.maintenanceBytes)}; if the machine has it: PGOPTIONS="-c maintenance_work_mem=${wanted}" aisec migrate up`,
      // Not in the file: outside of a transaction, where CONCURRENTLY runs, a SET would stay on.
      fix: null,
    };
  },
});

function concurrently(text: string): string {
  return /\bconcurrently\b/i.test(text) ? text : text.replace(/\bindex\b/i, 'index concurrently');
}

/** Of pgvector, as its changelog says. */
const FIXED_IN = [0, 8, 2];

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of FIXED_IN.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

export const vectorIndexParallel = statementRule({
  id: 'vector-index-parallel',
  severity: 'critical',
  title: 'an hnsw index built by several processes with pgvector before 0.8.2',
  impact:
    'CVE-2026-3172: a parallel build may write beyond its buffer, which crashes the server or reveals rows of other tables. Needs a connected server: its version of pgvector counts.',
  example: {
    before: BEFORE,
    server: { vectorVersion: '0.8.0', maintenanceBytes: 8192 * MIB, parallelWorkers: 2 },
    rows: 500_000,
    bad: INDEX,
    good: `set local max_parallel_maintenance_workers = 0;\n${INDEX}`,
  },
  check: (statement, surroundings) => {
    const build = hnswBuild(statement, surroundings);
    const version = surroundings.server?.vectorVersion;
    if (build === undefined || typeof version !== 'string' || !isOlder(version)) return [];
    const isSerial =
      surroundings.server?.parallelWorkers === 0 ||
      build.table.options.includes('parallel_workers=0') ||
      isSet('max_parallel_maintenance_workers', surroundings);
    if (isSerial) return [];
    const { sqlName } = build.table;
    return {
      object: build.name,
      message: `index ${nameInSql(build.name)} may be built by several processes, and the server has pgvector ${version}`,
      fix: [
        { sql: `alter table ${sqlName} set (parallel_workers = 0);` },
        { sql: `${concurrently(statement.text)};`, isOutsideTransaction: true },
        { sql: `alter table ${sqlName} reset (parallel_workers);` },
      ],
    };
  },
});

/** The bundled index, which `aisec vector rebuild` trains and doctor watches. */
const WATCHED = 'idx_knowledge_base_embedding';

export const vectorIndex = statementRule({
  id: 'vector-index-on-empty-table',
  severity: 'warning',
  title: 'an ivfflat index built on a table that has no rows yet',
  impact:
    'ivfflat takes its lists from the rows that are there when it is built. On an empty table the lists mean nothing, and searches miss most neighbours until the index is rebuilt.',
  example: {
    before: 'create extension if not exists vector;',
    bad: 'create table notes (id bigint primary key, embedding vector(3));\ncreate index idx_notes_embedding on notes using ivfflat (embedding vector_cosine_ops);',
    good: 'create table notes (id bigint primary key, embedding vector(3));\ncreate index idx_notes_embedding on notes using hnsw (embedding vector_cosine_ops);',
  },
  check: (statement, { statements }) => {
    const index = statementOf('IndexStmt', statement);
    if (index?.accessMethod !== 'ivfflat' || index.idxname === WATCHED) return [];
    const isNew = statements.some((other) => {
      const made = statementOf('CreateStmt', other)?.relation;
      return made !== undefined && made.relname === index.relation?.relname;
    });
    if (!isNew) return [];
    const name = index.idxname ?? index.relation?.relname ?? '';
    const column = all('IndexElem', index.indexParams)[0]?.name ?? '';
    return {
      object: name,
      message: `index ${nameInSql(name)} on ${nameInSql(column)} uses ivfflat, and its table is empty when it is built`,
      fix: [
        {
          sql: `${statement.text.replace(/\busing\s+ivfflat\b/i, 'using hnsw').replace(/\s*\bwith\s*\(\s*lists\s*=\s*\d+\s*\)/i, '')};`,
        },
      ],
    };
  },
});
