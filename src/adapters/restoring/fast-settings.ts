/** A server's machine. */
export interface Machine {
  /** Undefined when it is another machine than this one. */
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
}

export interface VectorIndex {
  /** Of its table. */
  readonly rows: number;
  readonly dimensions: number;
}

export type Settings = Readonly<Record<string, string>>;

const MIB = 1024 * 1024;
/** PostgreSQL's own default. */
const LEAST_MEMORY = 64 * MIB;
/** Of a server whose memory cannot be seen from here. */
const UNKNOWN_MEMORY = 4096 * MIB;
const SHARE_OF_MEMORY = 0.25;
/** Of the graph beside the vector of four bytes a dimension, at m = 16. */
const GRAPH_BYTES = 1024;
const RESERVE = 1.25;
/** More than these have next to nothing to do: https://github.com/pgvector/pgvector#index-build-time */
const MOST_WORKERS = 8;

function neededBytes({ rows, dimensions }: VectorIndex): number {
  return rows * (dimensions * 4 + GRAPH_BYTES) * RESERVE;
}

/** Of the session that restores everything but vector indexes. */
export const RESTORE_SETTINGS: Settings = {
  maintenance_work_mem: `${(LEAST_MEMORY * 4) / MIB}MB`,
  // Hundreds of small commits need not wait for the disk: the rename at the end does, and with it all before it.
  synchronous_commit: 'off',
};

/**
 * Of the session that builds the vector indexes, which is nearly all of a restore. One that does not fit into
 * maintenance_work_mem is built row by row on disk: 46 s instead of 17 for 20,000 rows. Several processes build it only
 * when its table counts as large, and the vectors lie in TOAST, outside of what is counted.
 *
 * The session works, too, so there are as many workers as other cores: 14.7 s with one on two cores, 17.5 with two.
 */
export function vectorSettings(indexes: readonly VectorIndex[], { memoryBytes, cpus }: Machine): Settings {
  const limit = (memoryBytes ?? UNKNOWN_MEMORY) * SHARE_OF_MEMORY;
  const needed = Math.max(LEAST_MEMORY * 4, ...indexes.map(neededBytes));
  const memoryMib = Math.max(LEAST_MEMORY, Math.min(needed, limit)) / MIB;
  return {
    ...RESTORE_SETTINGS,
    maintenance_work_mem: `${Math.ceil(memoryMib)}MB`,
    min_parallel_table_scan_size: '0',
    ...(cpus !== undefined && { max_parallel_maintenance_workers: String(Math.min(MOST_WORKERS, cpus - 1)) }),
  };
}
