import type { Session } from '../../../adapters/postgres/session.js';
import type { Reporting } from '../../../base/reporting.js';
import type { ErasureRecord } from './erasure-record.js';
import type { ErasureSource } from './gather.js';

/** A person whose erasure could not be repeated by itself: the account is closed, and the erasure is begun. */
export interface BlockedErasure {
  /** The id. */
  readonly user: string;
  readonly reason: string;
}

/** What a restore did about people who were erased after the backup was made. */
export interface ErasedAgain {
  /** Where the erasures on record are from; empty when there are none. */
  readonly sources: readonly string[];
  /** Erasures on record. */
  readonly known: number;
  /** People that the backup brought back, and that were erased again. */
  readonly users: number;
  readonly rows: number;
  readonly blocked: readonly BlockedErasure[];
}

/** Erases the recorded people from a restored database before it gets its name. */
export type EraseAgain = (
  session: Session,
  records: readonly ErasureRecord[],
  reporting: Reporting,
) => Promise<Pick<ErasedAgain, 'users' | 'rows' | 'blocked'>>;

/** What a restore needs to keep people erased who were erased after the backup was made. */
export interface ErasureOptions extends ErasureSource {
  readonly eraseAgain: EraseAgain;
}
