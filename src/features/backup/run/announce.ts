import { ping, type PingKind } from '../../../adapters/notify/ping.js';
import { runHook } from '../../../adapters/notify/run-hook.js';
import { AisecError, isAisecError, messageOf } from '../../../base/errors.js';
import type { Environment } from '../../../config/settings.js';
import { writeBackupMetrics } from './prometheus.js';
import type { BackupResult } from './finish.js';

export interface AnnounceOptions {
  /** Of healthchecks.io or the like; a secret. */
  readonly pingUrl: string | undefined;
  /** Absolute paths; undefined: none. */
  readonly onSuccess: string | undefined;
  readonly onFailure: string | undefined;
  readonly metricsFile: string | undefined;
  readonly folder: string;
  readonly database: string;
  readonly environment: Environment;
  readonly onWarning: (text: string) => void;
}

/** @throws AisecError CONFIG_INVALID without the address, which is a secret. */
function parsePingUrl(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new AisecError('CONFIG_INVALID', 'AISEC_PING_URL is no address', {
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

async function announceOutcome(outcome: Outcome, url: URL | undefined, options: AnnounceOptions): Promise<void> {
  const { metricsFile, folder, database, environment, onWarning } = options;
  const isSuccess = outcome.kind === 'success';
  if (metricsFile !== undefined)
    await writeBackupMetrics(metricsFile, folder, database, isSuccess).catch((error: unknown) => {
      onWarning(`the metrics could not be written to ${metricsFile}: ${messageOf(error)}`);
    });
  const program = isSuccess ? options.onSuccess : options.onFailure;
  const facts = { ...outcome.facts, AISEC_BACKUP_DATABASE: database };
  const hookFault = program === undefined ? undefined : await runHook({ program, environment, facts });
  if (hookFault !== undefined) onWarning(`${program ?? ''} did not do its work: ${hookFault}`);
  const pingFault = url === undefined ? undefined : await ping(url, outcome.kind, outcome.text);
  if (pingFault !== undefined) onWarning(`the watchdog could not be told: ${pingFault}`);
}

/**
 * Runs a backup and tells whoever wants to know how it went: a watchdog by its address, a program of the user's, and
 * Prometheus by a file. What cannot be told is a warning, and changes nothing of the outcome.
 *
 * @throws what `run` throws, after that was told; CONFIG_INVALID before anything is done.
 */
export async function announced(options: AnnounceOptions, run: () => Promise<BackupResult>): Promise<BackupResult> {
  const url = parsePingUrl(options.pingUrl);
  const startFault = url === undefined ? undefined : await ping(url, 'start', '');
  if (startFault !== undefined) options.onWarning(`the watchdog could not be told: ${startFault}`);
  try {
    const result = await run();
    await announceOutcome(successOf(result), url, options);
    return result;
  } catch (error) {
    await announceOutcome(failureOf(error), url, options);
    throw error;
  }
}
