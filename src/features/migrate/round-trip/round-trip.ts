import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { diffCatalogs } from '../../../adapters/catalog/diff.js';
import type { Difference } from '../../../adapters/catalog/difference.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { isAisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import { migrateDown } from '../down.js';
import type { MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import type { MigrateSettings } from '../prepare.js';
import { applyToScratch, NO_WAITS } from '../replay/replay.js';

export interface RoundTripOptions extends MigrateSettings {
  /** Puts rows into the migrated database; returns how many. Undefined: only the empty database is tested. */
  readonly fill: ((session: Session) => Promise<number>) | undefined;
}

/** One step of a round trip that did not lead to where it should. */
export interface RoundTripFailure {
  readonly migration: string;
  /** Whether the tables had rows. */
  readonly database: 'empty' | 'filled';
  /** `down`: it does not take back what Up made; `up again`: the second Up makes something else than the first. */
  readonly step: 'down' | 'up again';
  /** `before` is the catalog as it should be, `after` as it is. */
  readonly differences: readonly Difference[];
  /** Why the step did not run at all; null when it did. What comes after it is not tested then. */
  readonly error: string | null;
}

export interface RoundTripResult {
  readonly schema: string;
  readonly migrations: number;
  /** Rows in the filled database; null when it was not tested. */
  readonly rows: number | null;
  /** Those without a way back: nothing before them is reverted. */
  readonly irreversible: readonly string[];
  readonly isEqual: boolean;
  readonly failures: readonly RoundTripFailure[];
}

class RoundTrip {
  readonly #session: Session;
  readonly #options: RoundTripOptions;
  readonly #reporting: Reporting;
  readonly failures: RoundTripFailure[] = [];

  constructor(session: Session, options: RoundTripOptions, reporting: Reporting) {
    this.#session = session;
    this.#options = options;
    this.#reporting = reporting;
  }

  async up(count: number): Promise<void> {
    const { files } = this.#options;
    const options = { ...this.#options, verifies: true };
    await applyToScratch(this.#session, files.slice(0, count), options, this.#reporting.onProgress);
  }

  /** Reverts the newest migration. */
  async down(count: number): Promise<void> {
    const options = {
      ...this.#options,
      files: this.#options.files.slice(0, count),
      target: { kind: 'one' },
      ...NO_WAITS,
    } as const;
    await migrateDown(this.#session, options, () => Promise.resolve(), this.#reporting);
  }

  catalog(): Promise<CatalogSnapshot> {
    return readCatalog(this.#session, { schema: this.#options.schema, withoutHistory: true });
  }

  /** A Down leaves extensions and roles, which others may use. */
  async compare(
    expected: CatalogSnapshot,
    { migration, database, step }: Omit<RoundTripFailure, 'differences' | 'error'>,
  ): Promise<void> {
    const differences = diffCatalogs(expected, await this.catalog()).filter(
      ({ kind }) => !(step === 'down' && kind === 'extension'),
    );
    if (differences.length > 0) this.failures.push({ migration, database, step, differences, error: null });
  }

  /** Up after a Down that left something may not run. Returns whether it did. */
  async upAgain(count: number, migration: string, database: RoundTripFailure['database']): Promise<boolean> {
    const hasLeft = this.failures.some((failure) => failure.step === 'down' && failure.database === database);
    try {
      await this.up(count);
      return true;
    } catch (error) {
      if (!hasLeft || !isAisecError(error, 'MIGRATION_FAILED', 'MIGRATION_HISTORY')) throw error;
      this.failures.push({ migration, database, step: 'up again', differences: [], error: error.message });
      return false;
    }
  }
}

function isReversible({ irreversibleReason }: MigrationFile): boolean {
  return irreversibleReason === undefined;
}

/**
 * Each migration: up, down, up, on tables without rows. Returns the catalog after each, the empty one first; undefined
 * when it had to stop.
 */
async function testEmpty(
  trip: RoundTrip,
  files: readonly MigrationFile[],
  onProgress: (text: string) => void,
): Promise<readonly CatalogSnapshot[] | undefined> {
  const catalogs = [await trip.catalog()];
  for (const [index, file] of files.entries()) {
    onProgress(`testing ${labelOf(file)} (${index + 1} of ${files.length})`);
    await trip.up(index + 1);
    const made = await trip.catalog();
    if (isReversible(file)) {
      const before = catalogs[index] ?? made;
      await trip.down(index + 1);
      await trip.compare(before, { migration: labelOf(file), database: 'empty', step: 'down' });
      if (!(await trip.upAgain(index + 1, labelOf(file), 'empty'))) return undefined;
      await trip.compare(made, { migration: labelOf(file), database: 'empty', step: 'up again' });
    }
    // As it is now: what differs was said, and is no difference of the next one.
    catalogs.push(await trip.catalog());
  }
  return catalogs;
}

/** Down one after the other, as far as there is a way back, then up again, on tables with rows. */
async function testFilled(
  trip: RoundTrip,
  files: readonly MigrationFile[],
  catalogs: readonly CatalogSnapshot[],
  onProgress: (text: string) => void,
): Promise<void> {
  for (const [index, file] of [...files.entries()].toReversed()) {
    if (!isReversible(file)) break;
    onProgress(`reverting ${labelOf(file)} with rows`);
    await trip.down(index + 1);
    const before = catalogs[index];
    if (before !== undefined)
      await trip.compare(before, { migration: labelOf(file), database: 'filled', step: 'down' });
  }
  const [made, last] = [catalogs.at(-1), files.at(-1)];
  if (made !== undefined && last !== undefined && (await trip.upAgain(files.length, labelOf(last), 'filled')))
    await trip.compare(made, { migration: labelOf(last), database: 'filled', step: 'up again' });
}

/**
 * Applies, reverts and applies each migration again on a scratch database and compares the catalogs, first without rows
 * and then with rows. The database has to be empty and is left as it happens to be.
 *
 * @throws AisecError MIGRATION_FAILED and what `migrateUp` and `migrateDown` throw, when a step does not run at all.
 */
export async function testRoundTrip(
  session: Session,
  options: RoundTripOptions,
  reporting: Reporting,
): Promise<RoundTripResult> {
  const { files, schema, fill } = options;
  const trip = new RoundTrip(session, options, { ...reporting, onProgress: () => undefined });
  const catalogs = await testEmpty(trip, files, reporting.onProgress);
  let rows: number | null = null;
  if (fill !== undefined && catalogs !== undefined) {
    reporting.onProgress('writing rows');
    rows = await fill(session);
    await testFilled(trip, files, catalogs, reporting.onProgress);
  }
  const { failures } = trip;
  return {
    schema,
    migrations: files.length,
    rows,
    irreversible: files.filter((file) => !isReversible(file)).map(labelOf),
    isEqual: failures.length === 0,
    failures,
  };
}
