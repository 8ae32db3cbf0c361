import type { BatchObservableCallback, Meter } from '@opentelemetry/api';

import type { PoolStats } from '../adapters/postgres/pool/pool-driver.js';
import type { Cache } from '../client/create-cache.js';

const STATE = 'db.client.connection.state';
const SOURCE = 'aisec.cache.source';

function watch(
  meter: Meter,
  callback: BatchObservableCallback,
  observed: Parameters<Meter['addBatchObservableCallback']>[1],
) {
  meter.addBatchObservableCallback(callback, observed);
  return () => meter.removeBatchObservableCallback(callback, observed);
}

function watchConnections(meter: Meter, pool: { readonly stats: PoolStats }, poolName: string): () => void {
  const named = { 'db.client.connection.pool.name': poolName };
  const count = meter.createObservableUpDownCounter('db.client.connection.count', {
    description: 'Connections that are open, by what they are doing.',
    unit: '{connection}',
  });
  const max = meter.createObservableUpDownCounter('db.client.connection.max', {
    description: 'Connections that may be open at once.',
    unit: '{connection}',
  });
  const pending = meter.createObservableUpDownCounter('db.client.connection.pending_requests', {
    description: 'Callers that wait for a connection.',
    unit: '{request}',
  });
  return watch(
    meter,
    (result) => {
      const { idle, inUse, waiting, max: most } = pool.stats;
      result.observe(count, idle, { ...named, [STATE]: 'idle' });
      result.observe(count, inUse, { ...named, [STATE]: 'used' });
      result.observe(max, most, named);
      result.observe(pending, waiting, named);
    },
    [count, max, pending],
  );
}

function watchCache(meter: Meter, cache: Pick<Cache, 'status'>): () => void {
  const reads = meter.createObservableCounter('aisec.cache.reads', {
    description: 'Reads of the cache, by what answered them.',
    unit: '{read}',
  });
  return watch(
    meter,
    (result) => {
      const { localHits, redisHits, databaseReads } = cache.status();
      result.observe(reads, localHits, { [SOURCE]: 'process' });
      result.observe(reads, redisHits, { [SOURCE]: 'redis' });
      result.observe(reads, databaseReads, { [SOURCE]: 'database' });
    },
    [reads],
  );
}

/** Metrics of a pool and a cache, which are read when they are collected. Returns what ends it. */
export function watchPool(
  meter: Meter,
  pool: { readonly stats: PoolStats },
  poolName: string,
  cache: Pick<Cache, 'status'> | undefined,
): () => void {
  const ends = [watchConnections(meter, pool, poolName), ...(cache === undefined ? [] : [watchCache(meter, cache)])];
  return () => ends.forEach((end) => end());
}
