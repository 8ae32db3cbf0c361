import type { Session } from '../../../adapters/postgres/session.js';
import type { Reporting } from '../../../base/reporting.js';

/** In this order. */
export type Phase =
  'objects' | 'indexes' | 'constraints' | 'triggers and policies' | 'keys' | 'messages' | 'months' | 'history';

export interface StepLock {
  readonly table: string;
  /** As LOCK TABLE takes it. */
  readonly mode: string;
  /** `moment`: until the end of a transaction that changes the catalog only; `work`: while rows are read, which stops no writer. */
  readonly held: 'moment' | 'work';
}

interface StepFacts {
  readonly phase: Phase;
  /** In words, for people. */
  readonly what: string;
  /** On tables that were there before; empty: no other session waits. */
  readonly locks: readonly StepLock[];
  /** On this many rows; by measured rates, so no more than an order of magnitude. */
  readonly expectedMs: number;
}

/** One step of an adoption. Each one can be repeated, and a run that was killed continues where it was. */
export type AdoptStep = StepFacts &
  (
    | {
        /** Short changes of the catalog, in one transaction that gives up its locks and retries. */
        readonly kind: 'transaction';
        readonly statements: readonly string[];
      }
    | {
        /** Reads rows, beside writers, each statement by itself. */
        readonly kind: 'alone';
        readonly statements: readonly string[];
        /** Dropped before when an earlier run has left it INVALID. */
        readonly index?: string;
      }
    | {
        readonly kind: 'work';
        readonly statements: readonly string[];
        readonly run: (session: Session, work: StepWork) => Promise<void>;
      }
  );

export interface StepWork extends Reporting {
  readonly maxWaitMs: number;
}

/** Rows a second, as measured on two busy cores: what a dry run promises should not be too little. */
export const RATES = {
  index: 250_000,
  validate: 500_000,
  keys: 120_000,
  compareKeys: 150_000,
  months: 50_000,
} as const;

/** A transaction that changes the catalog only. */
export const BRIEF_MS = 20;

/** Short changes of the catalog as one step; no step for no statements. */
export function briefStep(
  phase: Phase,
  what: string,
  statements: readonly string[],
  locks: readonly StepLock[] = [],
): readonly AdoptStep[] {
  if (statements.length === 0) return [];
  return [{ kind: 'transaction', phase, what, locks, expectedMs: BRIEF_MS, statements }];
}

/** A lock that is held until the end of such a step. */
export function brieflyLocked(table: string, mode: string): StepLock {
  return { table, mode, held: 'moment' };
}

export function workMs(rows: number, rate: number): number {
  return Math.round(BRIEF_MS + (rows / rate) * 1000);
}
