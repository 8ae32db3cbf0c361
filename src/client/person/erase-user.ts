import { resolve } from 'node:path';

import { AisecError, isAisecError } from '../../base/errors.js';
import { resolveServiceRedis } from '../../config/redis-target.js';
import type { ErasureCertificate, UserEraseResult } from '../../features/user/index.js';
import type { AnyDatabase } from '../any-database.js';
import { checkOptions } from '../check-arguments.js';

export type { ErasureCertificate };

export interface EraseUserOptions {
  /** What becomes of public assistants, skills, voices … that others use. Default: `refuse`. */
  readonly shared?: 'refuse' | 'keep' | { readonly handOverTo: string };
  /** Tables whose rows stay, without what names the person, such as `api_usage`. */
  readonly anonymise?: readonly string[];
  /** Where the backups are, if they are on this machine: their list of erasures gets this one, and the certificate names them. */
  readonly backupDirectory?: string | undefined;
  /** How long backups are kept (`30d`, `6mo`), so that the certificate says when the last one goes. */
  readonly backupsKept?: string | undefined;
  /** Of the services' cache, as in `createCache`. Default: REDIS_URL. */
  readonly redisUrl?: string | undefined;
  /** After so long the step ends, at the next point between two transactions. Default: 5000. */
  readonly withinMs?: number;
  /** Ends the step when aborted; the next one continues. */
  readonly signal?: AbortSignal | undefined;
  /** What it is doing, as a text. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/**
 * What a step has come to: `working` is to be called again, `busy` too, later, since another worker is at it; `done` has the
 * certificate, the same one each time from then on.
 */
export type ErasureStep =
  | { readonly status: 'working'; /** Deleted or anonymised in this step. */ readonly rows: number }
  | { readonly status: 'busy' }
  | { readonly status: 'done'; readonly certificate: ErasureCertificate };

const OPTIONS: Readonly<Record<keyof EraseUserOptions, true>> = {
  shared: true,
  anonymise: true,
  backupDirectory: true,
  backupsKept: true,
  redisUrl: true,
  withinMs: true,
  signal: true,
  onProgress: true,
};

const DEFAULT_WITHIN_MS = 5000;

/** Ends a step between two transactions; never seen outside. */
class StepOver extends Error {}

function misuse(message: string, hint: string): AisecError {
  return new AisecError('USAGE', `eraseUser: ${message}`, { hint });
}

/** @throws AisecError USAGE for what only types would catch. */
function checkErasure({ shared, anonymise, withinMs = DEFAULT_WITHIN_MS }: EraseUserOptions): void {
  const isRule =
    ['refuse', 'keep', undefined].includes(shared as string) ||
    (typeof shared === 'object' && shared !== null && typeof shared.handOverTo === 'string');
  if (!isRule) throw misuse('shared is no rule', "Give 'refuse', 'keep' or { handOverTo: userId }.");
  if (anonymise !== undefined && !Array.isArray(anonymise))
    throw misuse('anonymise is no list', "Give names of tables: ['api_usage'].");
  if (!Number.isSafeInteger(withinMs) || withinMs < 1 || withinMs >= 2 ** 31)
    throw misuse(`withinMs is ${String(withinMs)}`, 'It is a whole number of milliseconds, from 1 on.');
}

function certified({ certificate }: UserEraseResult): ErasureStep {
  if (certificate === null) throw new Error('the erasure ended without a certificate');
  return { status: 'done', certificate };
}

/**
 * One step of erasing a person, as `aisec user erase` does it: the account is closed, rows go in short transactions, caches
 * are emptied, every column is searched, and the certificate is made. Call it until it is `done`, from a job: killed at any
 * moment, or ended by the signal, the next call continues; in two workers at once, one works and the other is `busy`.
 * What was asked for at the first step holds to the end.
 *
 * @param db of a role that sees and may delete all rows: the owner of the tables, or one with BYPASSRLS. One connection of its
 *   pool is used, and closed afterwards.
 * @throws AisecError USAGE for no such user, ERASE_BLOCKED for rows of others that depend on theirs, PRIVILEGE_MISSING,
 *   REDIS_UNREACHABLE, CONFIG_INVALID through a pooler in transaction mode; the reason of the signal when that is aborted.
 * @example
 * let step = await eraseUser(db, userId, { anonymise: ['api_usage'] });
 * while (step.status === 'working') step = await eraseUser(db, userId, { anonymise: ['api_usage'] });
 */
export async function eraseUser(db: AnyDatabase, userId: string, options: EraseUserOptions = {}): Promise<ErasureStep> {
  checkOptions('eraseUser', options, OPTIONS, 'USAGE');
  checkErasure(options);
  const { shared = 'refuse', anonymise = [], backupDirectory, signal, onProgress } = options;
  const { eraseUser: erase, forgetUserAt, parseAge, withPersonSession } = await import('./work.js');
  const backupsKept = options.backupsKept === undefined ? undefined : parseAge(options.backupsKept);
  if (options.backupsKept !== undefined && backupsKept === undefined)
    throw misuse(`backupsKept is "${options.backupsKept}"`, 'Give an age such as 30d or 6mo.');
  const redis = resolveServiceRedis(options.redisUrl);
  const startedMs = performance.now();
  let rows = 0;
  const onBatch = (changed: number): void => {
    rows += changed;
    if (performance.now() - startedMs >= (options.withinMs ?? DEFAULT_WITHIN_MS)) throw new StepOver();
  };
  try {
    return await withPersonSession('eraseUser', db, userId, signal, async (session, schema) => {
      const result = await erase(
        session,
        {
          user: userId,
          schema,
          shared,
          anonymise,
          backupDirectory: backupDirectory === undefined ? undefined : resolve(backupDirectory),
          backupsKept,
          isDryRun: false,
          waitMs: 0,
          // The step ends it.
          maxWaitMs: Infinity,
        },
        {
          // The click on the button was the confirmation.
          confirm: () => Promise.resolve(),
          emptyCaches: async (id) => (redis === undefined ? { redis: null, keys: 0 } : forgetUserAt(redis, id)),
          onBatch,
        },
        { onProgress: onProgress ?? (() => undefined) },
      );
      return certified(result);
    });
  } catch (error) {
    if (error instanceof StepOver) return { status: 'working', rows };
    if (isAisecError(error) && error.code === 'RUN_LOCKED') return { status: 'busy' };
    throw error;
  }
}
