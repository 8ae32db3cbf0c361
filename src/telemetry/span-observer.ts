import {
  SpanKind,
  SpanStatusCode,
  type Attributes,
  type Histogram,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import type { ObservedStatement, PoolObserver } from '../adapters/postgres/pool/observer.js';

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** Buckets in seconds, as the conventions advise. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** The SQLSTATE, the code of an AisecError, or the kind of error; never a message, which may quote a row. */
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}

function failed(error: unknown): Attributes {
  const code = codeOf(error);
  return { 'error.type': code, ...(SQLSTATE.test(code) && { 'db.response.status_code': code }) };
}

async function ended<Result>(span: Span, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    span.setAttributes(failed(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

export class SpanObserver implements PoolObserver {
  readonly #tracer: Tracer;
  readonly #duration: Histogram;
  readonly #hasQueryText: boolean;

  constructor(tracer: Tracer, meter: Meter, hasQueryText: boolean) {
    this.#tracer = tracer;
    this.#hasQueryText = hasQueryText;
    this.#duration = meter.createHistogram('db.client.operation.duration', {
      description: 'Duration of database client operations.',
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    });
  }

  async scope<Result>(run: () => Promise<Result>): Promise<Result> {
    return this.#tracer.startActiveSpan('withUser', { kind: SpanKind.INTERNAL }, async (span) => ended(span, run));
  }

  async statement<Result>(
    { operation, table, text, server }: ObservedStatement,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const summary = table === undefined ? operation : `${operation} ${table}`;
    const attributes: Attributes = {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      'db.query.summary': summary,
      ...(table !== undefined && { 'db.collection.name': table }),
      ...(server !== undefined && {
        'db.namespace': server.database,
        'server.address': server.host,
        'server.port': server.port,
      }),
    };
    const span = this.#tracer.startSpan(summary, {
      kind: SpanKind.CLIENT,
      attributes: { ...attributes, ...(this.#hasQueryText && { 'db.query.text': text }) },
    });
    const startedMs = performance.now();
    let failure: Attributes = {};
    try {
      return await ended(span, run);
    } catch (error) {
      failure = failed(error);
      throw error;
    } finally {
      this.#duration.record((performance.now() - startedMs) / 1000, { ...attributes, ...failure });
    }
  }
}
