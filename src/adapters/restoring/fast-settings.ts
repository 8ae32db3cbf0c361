export interface VectorIndex {
  readonly rows: number;
  readonly dimensions: number;
}

export interface Machine {
  /** Of the server; undefined when it is another machine than this one. */
  readonly memoryBytes: number | undefined;
  readonly cpus: number;
}

const MIB = 1024 * 1024;
/** PostgreSQL's own default. */
const LEAST_MEMORY = 64 * MIB;
/** Of a server whose memory cannot be seen from here. */
const UNKNOWN_MEMORY = 4096 * MIB;
const SHARE_OF_MEMORY = 0.25;
/** Of the graph beside the vector of four bytes a dimension, at m = 16. */
const GRAPH_BYTES = 1024;
const RESERVE = 1.25;
/** The planner's own limit is lower unless there are cores. */
const MOST_WORKERS = 8;

function neededBytes({ rows, dimensions }: VectorIndex): number {
  return rows * (dimensions * 4 + GRAPH_BYTES) * RESERVE;
}

/**
 * Settings of the restoring session. Nearly all of the time goes into vector indexes: one that does not fit into
 * maintenance_work_mem is built row by row on disk, and without the second setting it is built by one process, since
 * the vectors lie in TOAST and the table itself looks small. 176 s became 37 s with both. Not 0: workers would be
 * started for every empty partition (the planner takes it for 10 pages), and 250 small indexes took 9 s instead of 0.5.
 * https://github.com/pgvector/pgvector#index-build-time
 */
export function fastSettings(
  indexes: readonly VectorIndex[],
  machine: Machine,
): Readonly<
  Record<
    'maintenance_work_mem' | 'min_parallel_table_scan_size' | 'max_parallel_maintenance_workers' | 'synchronous_commit',
    string
  >
> {
  const limit = (machine.memoryBytes ?? UNKNOWN_MEMORY) * SHARE_OF_MEMORY;
  const needed = Math.max(LEAST_MEMORY * 4, ...indexes.map(neededBytes));
  const memoryMib = Math.max(LEAST_MEMORY, Math.min(needed, limit)) / MIB;
  return {
    maintenance_work_mem: `${Math.ceil(memoryMib)}MB`,
    min_parallel_table_scan_size: '256kB',
    max_parallel_maintenance_workers: String(Math.min(MOST_WORKERS, Math.max(1, machine.cpus))),
    // Hundreds of small commits need not wait for the disk: the rename at the end does, and with it all before it.
    synchronous_commit: 'off',
  };
}
