import { context, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { createCache, createDatabase, withUser, type Cache } from '../../../src/index.js';
import { instrumentDatabase } from '../../../src/telemetry/index.js';
import { describeOnServer } from '../../support/database.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

describeOnServer('instrumentDatabase', () => {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  let service: ServiceDatabase;
  let db: Kysely<Tables>;
  let cache: Cache;
  let stop: () => void;

  beforeAll(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    service = await createServiceDatabase(1);
    db = createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 1 });
    cache = createCache({ url: service.url });
    await cache.ready(60_000);
    stop = instrumentDatabase(db, { cache, tracerProvider, meterProvider });
  });
  afterAll(async () => {
    context.disable();
    await cache?.close();
    await db?.destroy();
    await meterProvider.shutdown();
  });
  beforeEach(() => spans.reset());

  const everything = (): string =>
    JSON.stringify(
      spans.getFinishedSpans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
    );
  const named = (name: string): ReadableSpan | undefined => spans.getFinishedSpans().find((span) => span.name === name);
  const metrics = async (): Promise<Map<string, unknown[]>> => {
    exporter.reset();
    await meterProvider.forceFlush();
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return new Map(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => ({ ...attributes, value })),
      ]),
    );
  };

  test('makes a span of each scope with those of its statements in it, by the conventions', async () => {
    await withUser(db, userId(1), (trx) =>
      trx.selectFrom('conversations as c').select('title').where('title', '=', 'a secret title').execute(),
    );
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual([
      'BEGIN',
      'SELECT conversations',
      'COMMIT',
      'withUser',
    ]);
    const scope = named('withUser');
    const select = named('SELECT conversations');
    expect(scope).toMatchObject({ kind: SpanKind.INTERNAL, attributes: {} });
    expect(select?.kind).toBe(SpanKind.CLIENT);
    expect(select?.parentSpanContext?.spanId).toBe(scope?.spanContext().spanId);
    const { hostname, port, pathname } = new URL(service.url);
    expect(select?.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.namespace': pathname.slice(1),
      'db.operation.name': 'SELECT',
      'db.collection.name': 'conversations',
      'db.query.summary': 'SELECT conversations',
      'server.address': hostname,
      'server.port': Number(port),
    });
  });

  test('has no parameter, no row and no user in a span, also where a statement fails', async () => {
    const failing = withUser(db, userId(1), (trx) =>
      trx
        .insertInto('users')
        .values({ id: userId(1), username: 'a secret name' })
        .execute(),
    );
    await expect(failing).rejects.toMatchObject({ code: '42501' });
    await expect(sql`select ${'a secret text'}::int`.execute(db)).rejects.toMatchObject({ code: '22P02' });
    expect(named('INSERT users')).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': '42501', 'db.response.status_code': '42501' },
    });
    expect(named('withUser')).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': '42501' },
    });
    expect(named('SELECT')).toMatchObject({ attributes: { 'error.type': '22P02' } });
    expect(everything()).not.toMatch(/secret|10000000-/);
  });

  test('measures the pool, the cache and the time of statements', async () => {
    await cache.setting('none');
    await cache.setting('none');
    await withUser(db, userId(1), (trx) => trx.selectFrom('users').select('id').execute());
    const found = await metrics();
    const pool = { 'db.client.connection.pool.name': new URL(service.url).pathname.slice(1) };
    const state = 'db.client.connection.state';
    expect(found.get('db.client.connection.count')).toEqual([
      { ...pool, [state]: 'idle', value: 1 },
      { ...pool, [state]: 'used', value: 0 },
    ]);
    expect(found.get('db.client.connection.max')).toEqual([{ ...pool, value: 2 }]);
    expect(found.get('db.client.connection.pending_requests')).toEqual([{ ...pool, value: 0 }]);
    expect(found.get('aisec.cache.reads')).toEqual([
      { 'aisec.cache.source': 'process', value: 1 },
      { 'aisec.cache.source': 'redis', value: 0 },
      { 'aisec.cache.source': 'database', value: 1 },
    ]);
    expect(found.get('db.client.operation.duration')).toContainEqual(
      expect.objectContaining({ 'db.query.summary': 'SELECT users', value: expect.objectContaining({ count: 1 }) }),
    );
  });

  test('has the text of statements on demand, for one observer at a time, until it is ended', async () => {
    expect(() => instrumentDatabase(db)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    stop();
    const end = instrumentDatabase(db, { tracerProvider, meterProvider, hasQueryText: true });
    await db
      .selectFrom('users')
      .select('id')
      .where('username', '=', 'a secret name')
      .execute()
      .catch(() => undefined);
    expect(named('SELECT users')?.attributes['db.query.text']).toBe('select "id" from "users" where "username" = $1');
    end();
    spans.reset();
    await withUser(db, userId(1), (trx) => trx.selectFrom('users').select('id').execute());
    expect(spans.getFinishedSpans()).toEqual([]);
  });
});
