import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api';

import { AisecError } from '../base/errors.js';
import type { AnyDatabase } from '../client/any-database.js';
import type { Cache } from '../client/create-cache.js';
import { driverOf } from '../client/driver-of.js';
import { SpanObserver } from './span-observer.js';
import { watchPool } from './watch-pool.js';

export interface InstrumentOptions {
  /** Its hits and reads become metrics, too. */
  readonly cache?: Pick<Cache, 'status'>;
  /** In the metrics, where a service has several pools. Default: the name of the database. */
  readonly poolName?: string;
  /**
   * Puts the text of each statement into its span. Parameters are never in it; literals that were written into SQL
   * (`sql.lit`, `sql.raw`) are. Default: false.
   */
  readonly hasQueryText?: boolean;
  /** Default: the global ones, as an SDK registers them. */
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
}

/**
 * Makes spans of the scopes of `withUser` and of the statements of a database, and metrics of its pool, by OpenTelemetry's
 * conventions for database clients (https://opentelemetry.io/docs/specs/semconv/database/postgresql/). No parameter, no row and no user
 * is in them: an error is its SQLSTATE, since PostgreSQL's messages may quote rows.
 *
 * @returns what ends it.
 * @throws AisecError USAGE.
 * @example
 * import { instrumentDatabase } from 'aisec/telemetry';
 * const stop = instrumentDatabase(db, { cache });
 */
export function instrumentDatabase(db: AnyDatabase, options: InstrumentOptions = {}): () => void {
  const driver = driverOf(db, 'instrumentDatabase');
  if (driver.observer !== undefined) {
    throw new AisecError('USAGE', 'instrumentDatabase was called twice for one database', {
      hint: 'Call what the first call returned before it is called again.',
    });
  }
  const tracer = (options.tracerProvider ?? trace).getTracer('aisec');
  const meter = (options.meterProvider ?? metrics).getMeter('aisec');
  driver.observer = new SpanObserver(tracer, meter, options.hasQueryText === true);
  const unwatch = watchPool(meter, driver, options.poolName ?? driver.address?.database ?? 'embedded', options.cache);
  return () => {
    driver.observer = undefined;
    unwatch();
  };
}
