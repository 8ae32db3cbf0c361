import type { PGlite } from '@electric-sql/pglite';

/** The embedded PostgreSQL itself, below its sessions. */
export type EmbeddedEngine = PGlite;

/** The rows of a `table (column, …)`, in the format of COPY. */
export async function copyOut(engine: EmbeddedEngine, target: string): Promise<Buffer> {
  const { blob } = await engine.query(`copy ${target} to '/dev/blob'`);
  return blob === undefined ? Buffer.alloc(0) : Buffer.from(await blob.arrayBuffer());
}
