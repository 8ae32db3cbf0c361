import { countText } from '../../base/count.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { VectorType } from '../../schema/half-vector.js';

/** The index of the migrations; whatever it is rebuilt as, it keeps this name. */
export const MAIN_INDEX = 'idx_knowledge_base_embedding';
/** One that is being built, or was built and not yet put in place. */
export const NEXT_INDEX = `${MAIN_INDEX}_new`;
/** One that was replaced and not yet dropped. */
export const OLD_INDEX = `${MAIN_INDEX}_old`;

export type Method = 'ivfflat' | 'hnsw';

export interface VectorIndex {
  readonly name: string;
  readonly method: Method;
  readonly type: VectorType;
  /** Of ivfflat, else null. */
  readonly lists: number | null;
  /** Of hnsw, else null. */
  readonly m: number | null;
  readonly efConstruction: number | null;
  readonly isValid: boolean;
  readonly isBuilding: boolean;
  readonly sizeBytes: number;
  /** How many rows had an embedding when `aisec vector rebuild` built it; null when something else did. */
  readonly builtOnRows: number | null;
}

export interface VectorState {
  /** Rows with an embedding. */
  readonly rows: number;
  readonly dimensions: number;
  readonly heapBlocks: number;
  readonly maintenanceBytes: number;
  /** pgvector is new enough: 0.7. */
  readonly hasHalfvec: boolean;
  readonly indexes: readonly VectorIndex[];
}

interface IndexRow extends Omit<VectorIndex, 'builtOnRows'> {
  readonly comment: string | null;
}

interface TableRow extends Omit<VectorState, 'rows' | 'indexes'> {
  readonly isMigrated: boolean;
  readonly isFiltered: boolean;
}

const BUILT_ON = /^Built by aisec vector rebuild on (\d+) rows\.$/;

/** Kept as the comment of the index, where a dump and a REINDEX keep it, too. */
export function builtOnComment(rows: number): string {
  return `Built by aisec vector rebuild on ${rows} rows.`;
}

function toIndex({ comment, ...index }: IndexRow): VectorIndex {
  const builtOn = BUILT_ON.exec(comment ?? '')?.[1];
  return { ...index, builtOnRows: builtOn === undefined ? null : Number(builtOn) };
}

/** `"app".knowledge_base`. */
export function tableName(schema: string): string {
  return `${quoteIdentifier(schema)}.knowledge_base`;
}

/** @throws AisecError MIGRATION_PENDING without the table, PRIVILEGE_MISSING for a role that does not see every row. */
export async function readVectorState(session: Session, schema: string): Promise<VectorState> {
  const {
    rows: [table],
  } = await session.query<TableRow>(sqlFile('vector/table'), [schema]);
  if (table === undefined || !table.isMigrated) {
    throw new AisecError(
      'MIGRATION_PENDING',
      `${session.info.label} has no table knowledge_base in schema "${schema}"`,
      {
        hint: 'Run: aisec migrate up',
      },
    );
  }
  if (table.isFiltered) {
    throw new AisecError('PRIVILEGE_MISSING', 'row-level security hides rows of knowledge_base from this role', {
      hint: 'Run it as the owner of the tables, the role that runs `aisec migrate up`.',
    });
  }
  const { rows: counts } = await session.query<{ rows: number }>(
    `select count(*)::float8 as rows from ${tableName(schema)} where embedding is not null`,
  );
  const { rows: indexes } = await session.query<IndexRow>(sqlFile('vector/indexes'), [schema]);
  return {
    rows: counts[0]?.rows ?? 0,
    dimensions: table.dimensions,
    heapBlocks: table.heapBlocks,
    maintenanceBytes: table.maintenanceBytes,
    hasHalfvec: table.hasHalfvec,
    indexes: indexes.map(toIndex),
  };
}

/** `ivfflat, 20 lists`, `hnsw on halfvec, m 16, ef_construction 64`. */
export function describeIndex({ method, type, lists, m, efConstruction }: VectorIndex): string {
  const what = type === 'vector' ? method : `${method} on ${type}`;
  return method === 'ivfflat'
    ? `${what}, ${countText(lists ?? 0, 'list')}`
    : `${what}, m ${m}, ef_construction ${efConstruction}`;
}
