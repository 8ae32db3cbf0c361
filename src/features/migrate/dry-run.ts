import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { rollBack, type Session } from '../../adapters/postgres/session.js';
import { parseStatements } from '../../adapters/sql-parser/statements.js';
import { rehearse } from './apply/rehearse.js';
import { EffectsObserver, knownRelations, type KnownRelation } from './effects/effects.js';
import { explainSection, type ExplainedStatement } from './effects/explain.js';
import { lockUsers, type LockUser } from './effects/lock-users.js';
import { hooksNamed } from './apply/run-hooks.js';
import { refuseCollisions } from './collisions.js';
import { refuseUnsafeStatements } from './files/migration-folder.js';
import type { MigrationFile } from './files/migration-file.js';
import { labelOf, type SourcedName } from './files/source.js';
import { warnOfOtherOwner } from './owner.js';
import { preflight } from './preflight.js';
import { compareWithDatabase, historyToCreate } from './prepare.js';
import type { Reporting } from '../../base/reporting.js';
import { filesOf, planUp, type UpOptions } from './up.js';

export interface TakenLock {
  readonly relation: string;
  /** As in pg_locks: `AccessExclusiveLock`. */
  readonly mode: string;
}

export interface RehearsedMigration extends SourcedName {
  /** How many statements of each kind: `create table` 2, `create index` 9. */
  readonly statements: readonly { readonly kind: string; readonly count: number }[];
  /** Locks on relations that were there before; new ones disturb no other session. */
  readonly locks: readonly TakenLock[];
  /** The statements that touch what was there before, each with its locks, what it reads and rewrites, and who waits. */
  readonly explained: readonly ExplainedStatement[];
  /** Why it was not run; null when it was. */
  readonly skippedBecause: string | null;
}

export interface DryRunResult {
  readonly database: string;
  readonly schema: string;
  readonly migrations: readonly RehearsedMigration[];
}

const NOISE = /^(or replace|unique|temporary|temp|recursive|if (not )?exists)\s+/i;

/** `create table`, `comment on`, `insert into`: the first two words that say what a statement does. */
function kindOf(statement: string): string {
  const [verb = '', ...rest] = statement.split(/\s+/);
  const tail =
    rest
      .join(' ')
      .replace(NOISE, '')
      .split(/[\s(]+/)[0] ?? '';
  const isPlain = /^(do|grant|revoke|select|update|truncate|with)$/i.test(verb);
  return (isPlain ? verb : `${verb} ${tail}`).toLowerCase();
}

async function statementCounts(file: MigrationFile): Promise<RehearsedMigration['statements']> {
  const parsed = await parseStatements(file.up.sql);
  if ('error' in parsed) return [];
  const counts = new Map<string, number>();
  for (const { text } of parsed.statements) counts.set(kindOf(text), (counts.get(kindOf(text)) ?? 0) + 1);
  return [...counts].map(([kind, count]) => ({ kind, count }));
}

interface Watch {
  readonly observer: EffectsObserver;
  readonly known: ReadonlyMap<number, KnownRelation>;
  readonly holders: readonly LockUser[];
}

/** On an empty database there is nothing to explain, and one message takes less time than one a statement. */
async function explainOrRun(
  session: Session,
  file: MigrationFile,
  options: UpOptions,
  { observer, known, holders }: Watch,
): Promise<readonly ExplainedStatement[]> {
  if (known.size > 0) return explainSection(session, file, options, observer, holders);
  await rehearse(session, file, 'up', options);
  return [];
}

function takenLocks(locks: readonly TakenLock[]): readonly TakenLock[] {
  const taken = new Map(locks.map(({ relation, mode }) => [`${relation} ${mode}`, { relation, mode }]));
  return [...taken.keys()].toSorted().flatMap((key) => taken.get(key) ?? []);
}

/**
 * Runs the pending migrations in one transaction, rolls it back, and reports what each one did and locked. It takes the
 * very locks of the real run, for as long as it lasts, under the same lock timeout.
 *
 * @throws AisecError as `migrateUp`: what would fail there fails here.
 */
export async function dryRunUp(session: Session, options: UpOptions, reporting: Reporting): Promise<DryRunResult> {
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const { statuses, recordedSources } = await compareWithDatabase(session, options);
    const plan = planUp(statuses, options);
    await refuseUnsafeStatements([...filesOf(plan), ...(options.hooks ?? [])]);
    if (plan.length > 0) {
      await preflight(session, filesOf(plan), options);
      await warnOfOtherOwner(session, options.schema, reporting);
    }
    await refuseCollisions(session, options.schema, filesOf(plan.filter((status) => status.entry === undefined)));
    const known = await knownRelations(session);
    const { holders } = await lockUsers(session);
    // Else the scans of earlier transactions that were not reported yet would count as those of this one.
    await session.query('select pg_catalog.pg_stat_force_next_flush()');
    const observer = new EffectsObserver(session, known);
    const migrations: RehearsedMigration[] = [];
    let skippedBecause: string | null = null;
    await session.query('begin');
    try {
      const making = historyToCreate(options.schema, plan, recordedSources);
      if (making !== undefined) await session.query(making);
      for (const hook of plan.length > 0 ? hooksNamed('before_up', options) : [])
        await rehearse(session, hook, 'up', options);
      let locks = (await observer.next()).locks;
      for (const file of filesOf(plan)) {
        reporting.onProgress(`trying ${labelOf(file)} (${migrations.length + 1} of ${plan.length})`);
        if (!file.isTransactional) skippedBecause ??= 'it runs without a transaction, so it cannot be rolled back';
        const explained: readonly ExplainedStatement[] =
          skippedBecause === null ? await explainOrRun(session, file, options, { observer, known, holders }) : [];
        const { source, name } = file;
        migrations.push({
          source,
          name,
          statements: await statementCounts(file),
          locks: takenLocks([...locks, ...explained.flatMap((statement) => statement.locks)]),
          explained,
          skippedBecause,
        });
        locks = [];
        if (skippedBecause !== null) skippedBecause = `it comes after a migration that was not run`;
      }
      if (skippedBecause === null)
        for (const hook of hooksNamed('after_up', options)) await rehearse(session, hook, 'up', options);
    } finally {
      await rollBack(session);
    }
    return { database: session.info.label, schema: options.schema, migrations };
  });
}
