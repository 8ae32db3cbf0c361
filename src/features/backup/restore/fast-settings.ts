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
const USUAL_MEMORY = 4 * LEAST_MEMORY;
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

/** As much as is wanted, but no more than a quarter of the machine for all sessions together, and the default at least. */
function workMemory(wantedBytes: number, { memoryBytes }: Machine, sessions = 1): string {
  const limit = ((memoryBytes ?? UNKNOWN_MEMORY) * SHARE_OF_MEMORY) / sessions;
  return `${Math.ceil(Math.max(LEAST_MEMORY, Math.min(wantedBytes, limit)) / MIB)}MB`;
}

/** Of the sessions that restore everything but vector indexes, one for each job. */
export function restoreSettings(machine: Machine, jobs: number): Settings {
  return {
    maintenance_work_mem: workMemory(USUAL_MEMORY, machine, jobs),
    // Hundreds of small commits need not wait for the disk: the rename at the end does, and with it all before it.
    synchronous_commit: 'off',
  };
}

/**
 * Of the session that builds the vector indexes, which is nearly all of a restore. One that does not fit into
 * maintenance_work_mem is built row by row on disk: 46 s instead of 17 for 20,000 rows. Several processes build it only
 * when its table counts as large, and the vectors lie in TOAST, outside of what is counted.
 *
 * The session works, too, so there are as many workers as other cores: 14.7 s with one on two cores, 17.5 with two.
 */
export function vectorSettings(indexes: readonly VectorIndex[], machine: Machine): Settings {
  const { cpus } = machine;
  return {
    ...restoreSettings(machine, 1),
    maintenance_work_mem: workMemory(Math.max(USUAL_MEMORY, ...indexes.map(neededBytes)), machine),
    min_parallel_table_scan_size: '0',
    ...(cpus !== undefined && { max_parallel_maintenance_workers: String(Math.min(MOST_WORKERS, cpus - 1)) }),
  };
}
