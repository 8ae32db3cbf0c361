import { ping, type PingKind } from '../../../adapters/notify/ping.js';
import { runHook } from '../../../adapters/notify/run-hook.js';
import { AisecError, isAisecError, messageOf } from '../../../base/errors.js';
import type { Environment } from '../../../config/settings.js';
import { writeBackupMetrics } from './prometheus.js';
import type { BackupResult } from './finish.js';

export interface NotificationOptions {
  /** Of healthchecks.io or the like; a secret. */
  readonly pingUrl: string | undefined;
  /** Absolute paths; undefined: none. */
  readonly onSuccess: string | undefined;
  readonly onFailure: string | undefined;
  readonly metricsFile: string | undefined;
  readonly directory: string;
  readonly database: string;
  readonly environment: Environment;
  readonly onWarning: (text: string) => void;
}

/** @throws AisecError CONFIG_INVALID without the address, which is a secret. */
function parsePingUrl(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new AisecError('CONFIG_INVALID', 'AISEC_PING_URL is not a URL', {
    hint: 'Give an https address; aisec adds /start and /fail to it.',
  });
}

interface Outcome {
  readonly kind: Exclude<PingKind, 'start'>;
  /** One line. */
  readonly text: string;
  readonly facts: Readonly<Record<string, string>>;
}

function successOf(result: BackupResult): Outcome {
  return {
    kind: 'success',
    text: `${result.file ?? ''}: ${result.sizeBytes ?? 0} bytes in ${result.durationMs} ms`,
    facts: {
      AISEC_BACKUP_STATUS: 'success',
      AISEC_BACKUP_FILE: result.file ?? '',
      AISEC_BACKUP_SIZE_BYTES: String(result.sizeBytes ?? 0),
      AISEC_BACKUP_DURATION_MS: String(result.durationMs),
    },
  };
}

function failureOf(error: unknown): Outcome {
  const code = isAisecError(error) ? error.code : 'INTERNAL';
  return {
    kind: 'fail',
    text: `${code}: ${messageOf(error)}`,
    facts: { AISEC_BACKUP_STATUS: 'failure', AISEC_BACKUP_ERROR_CODE: code, AISEC_BACKUP_ERROR: messageOf(error) },
  };
}

async function notifyOutcome(outcome: Outcome, url: URL | undefined, options: NotificationOptions): Promise<void> {
  const { metricsFile, directory, database, environment, onWarning } = options;
  const isSuccess = outcome.kind === 'success';
  if (metricsFile !== undefined)
    await writeBackupMetrics(metricsFile, directory, database, isSuccess).catch((error: unknown) => {
      onWarning(`the metrics could not be written to ${metricsFile}: ${messageOf(error)}`);
    });
  const program = isSuccess ? options.onSuccess : options.onFailure;
  const facts = { ...outcome.facts, AISEC_BACKUP_DATABASE: database };
  const hookFault = program === undefined ? undefined : await runHook({ program, environment, facts });
  if (hookFault !== undefined) onWarning(`${program ?? ''} failed: ${hookFault}`);
  const pingFault = url === undefined ? undefined : await ping(url, outcome.kind, outcome.text);
  if (pingFault !== undefined) onWarning(`could not reach the monitoring URL: ${pingFault}`);
}

/**
 * Runs a backup and reports how it went: to a monitoring service by its address, a program of the user's, and
 * Prometheus by a file. A report that fails is a warning, and changes nothing of the outcome.
 *
 * @throws what `run` throws, after that was reported; CONFIG_INVALID before anything is done.
 */
export async function withNotifications(
  options: NotificationOptions,
  run: () => Promise<BackupResult>,
): Promise<BackupResult> {
  const url = parsePingUrl(options.pingUrl);
  const startFault = url === undefined ? undefined : await ping(url, 'start', '');
  if (startFault !== undefined) options.onWarning(`could not reach the monitoring URL: ${startFault}`);
  try {
    const result = await run();
    await notifyOutcome(successOf(result), url, options);
    return result;
  } catch (error) {
    await notifyOutcome(failureOf(error), url, options);
    throw error;
  }
}
