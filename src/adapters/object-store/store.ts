import type * as S3 from '@aws-sdk/client-s3';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import { parseDurationMs } from '../../base/duration.js';
import { loadOptional } from '../../base/package/optional-package.js';
import { SETTINGS, type Environment } from '../../config/settings.js';
import type { StorePlace } from '../../config/store-url.js';
import { storeError } from './store-error.js';

/** A directory of a bucket, open. Names of objects are without the directory. */
export interface Store {
  readonly place: StorePlace;
  readonly sdk: typeof S3;
  readonly client: S3.S3Client;
  /** For the request that puts the parts of an upload together, which a store may need minutes for without a byte. */
  readonly patientClient: S3.S3Client;
  readonly signal: AbortSignal;
}

export interface StoreOptions {
  /** With `.env`; the SDK itself sees the environment of the process and ~/.aws only. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 10_000;
const LEAST_PATIENCE_MS = 120_000;
const NODE_WARNING = /AWS SDK for JavaScript/;

/** That a later SDK will want a newer Node is for the builder of aisec, and would be in every cron mail. */
function withoutNodeWarning<Result>(make: () => Result): Result {
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...more: never[]): void => {
    if (!NODE_WARNING.test(String(warning))) emit(warning, ...more);
  };
  try {
    return make();
  } finally {
    process.emitWarning = emit;
  }
}

/** How long a request waits without a single byte either way. @throws AisecError CONFIG_INVALID. */
function readIdleTimeoutMs(environment: Environment): number {
  const { env, default: preset } = SETTINGS.storeTimeout;
  const text = environment[env] ?? preset;
  const timeoutMs = parseDurationMs(text);
  if (timeoutMs !== undefined && timeoutMs > 0) return timeoutMs;
  throw new AisecError('CONFIG_INVALID', `${env} has an invalid duration: "${text}"`, {
    hint: 'Give a number with a unit: 30s, 2m.',
  });
}

function createClient(
  sdk: typeof S3,
  { endpoint }: StorePlace,
  environment: Environment,
  idleTimeoutMs: number,
): S3.S3Client {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const { AWS_SESSION_TOKEN: sessionToken, AWS_REGION, AWS_DEFAULT_REGION } = environment;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION ?? (endpoint === undefined ? undefined : 'us-east-1');
  const hasKey = accessKeyId !== undefined && secretAccessKey !== undefined;
  return new sdk.S3Client({
    ...(region !== undefined && { region }),
    // Without one, the SDK's own chain: profile, web identity, container, machine.
    ...(hasKey && {
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    }),
    // Not every store knows Amazon's newer checksums, nor a host name for each bucket.
    ...(endpoint !== undefined && {
      endpoint,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
    }),
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: idleTimeoutMs },
  });
}

/**
 * Runs the callback with a store, and closes its connections whatever happens. Nothing is sent yet.
 *
 * @throws AisecError PACKAGE_MISSING, CONFIG_INVALID.
 */
export async function withStore<Result>(
  place: StorePlace,
  { environment, signal }: StoreOptions,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const sdk = await loadOptional('@aws-sdk/client-s3', 'an S3-compatible store', () => import('@aws-sdk/client-s3'));
  const endpoint = place.endpoint ?? environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL'];
  const full = { ...place, endpoint };
  const idleTimeoutMs = readIdleTimeoutMs(environment);
  const [client, patientClient] = withoutNodeWarning(() => [
    createClient(sdk, full, environment, idleTimeoutMs),
    createClient(sdk, full, environment, Math.max(idleTimeoutMs, LEAST_PATIENCE_MS)),
  ]);
  try {
    return await use({ place: full, sdk, client, patientClient, signal });
  } finally {
    client.destroy();
    patientClient.destroy();
  }
}

/** Runs requests, and translates what goes wrong. `what` says it to people: `upload app.dump`. */
export async function asking<Result>(store: Store, what: string, ask: () => Promise<Result>): Promise<Result> {
  if (store.signal.aborted) throw interruptionError(store.signal);
  try {
    return await ask();
  } catch (error) {
    if (error instanceof AisecError) throw error;
    if (store.signal.aborted) throw interruptionError(store.signal);
    throw storeError(error, what, store.place);
  }
}
