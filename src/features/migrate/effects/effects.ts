import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** A relation as it was before the first statement. */
export interface KnownRelation {
  readonly oid: number;
  /** As SQL takes it. */
  readonly relation: string;
  /** pg_class.relkind. */
  readonly kind: string;
  /** The partitioned table that it is a part of, else itself. */
  readonly root: string;
  readonly fileNode: number;
  /** Estimated rows; -1: never counted. */
  readonly rows: number;
}

export interface NewLock extends Pick<KnownRelation, 'relation' | 'kind' | 'root'> {
  /** As in pg_locks: `AccessExclusiveLock`. */
  readonly mode: string;
}

/** What one statement did to relations that were there before; what it made itself makes no other session wait. */
export interface Effects {
  /** Locks that no statement before it had taken; they are held until the transaction ends. */
  readonly locks: readonly NewLock[];
  /** Tables and indexes that were rewritten, names as SQL takes them. */
  readonly rewritten: readonly string[];
  /** Tables that were read from their first to their last row. */
  readonly scanned: readonly string[];
}

interface EffectRow {
  readonly oid: number;
  readonly mode: string;
  readonly file_node: number | null;
  readonly scans: number;
}

/** The relations that are there now. */
export async function knownRelations(session: Session): Promise<ReadonlyMap<number, KnownRelation>> {
  const { rows } = await session.query<Omit<KnownRelation, 'fileNode'> & { readonly file_node: number }>(
    sqlFile('migrate/relations-before'),
  );
  return new Map(rows.map(({ file_node: fileNode, ...known }) => [known.oid, { ...known, fileNode }]));
}

/**
 * Watches one transaction from within: after each statement it says what that statement locked, rewrote and read, as the
 * server itself counts it. Asking takes no lock on a relation of the users'.
 */
export class EffectsObserver {
  readonly #session: Session;
  readonly #known: ReadonlyMap<number, KnownRelation>;
  readonly #locks = new Set<string>();
  readonly #fileNodes = new Map<number, number>();
  readonly #scans = new Map<number, number>();

  constructor(session: Session, known: ReadonlyMap<number, KnownRelation>) {
    this.#session = session;
    this.#known = known;
    for (const { oid, fileNode } of known.values()) this.#fileNodes.set(oid, fileNode);
  }

  /** Estimated rows before the first statement, by name as SQL takes it. */
  get rowsBefore(): ReadonlyMap<string, number> {
    return new Map([...this.#known.values()].map(({ relation, rows }) => [relation, rows]));
  }

  /** Another transaction begins: it has no lock yet, and has read nothing. */
  startTransaction(): void {
    this.#locks.clear();
    this.#scans.clear();
  }

  /** What has happened since the last call. */
  async next(): Promise<Effects> {
    const { rows } = await this.#session.query<EffectRow>(sqlFile('migrate/effects'), [[...this.#known.keys()]]);
    const locks: NewLock[] = [];
    const [rewritten, scanned] = [new Set<string>(), new Set<string>()];
    for (const { oid, mode, file_node: fileNode, scans } of rows) {
      const known = this.#known.get(oid);
      if (known === undefined) continue;
      const key = `${oid} ${mode}`;
      if (!this.#locks.has(key)) locks.push({ relation: known.relation, kind: known.kind, root: known.root, mode });
      this.#locks.add(key);
      if (fileNode !== null && fileNode !== this.#fileNodes.get(oid)) rewritten.add(known.relation);
      this.#fileNodes.set(oid, fileNode ?? 0);
      if (scans > (this.#scans.get(oid) ?? 0)) scanned.add(known.relation);
      this.#scans.set(oid, scans);
    }
    return { locks, rewritten: [...rewritten], scanned: [...scanned] };
  }
}
