import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { createContext, type Context, type Session } from '../context.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { unlessSilent } from '../../base/interruption.js';
import { redactText } from '../../base/redact.js';
import type { CommandSpec } from '../command.js';
import { migrateSettings } from '../migrate-settings.js';
import { renderStanding, type Standing } from './standing-text.js';

export { standingWithoutSettings } from './standing-text.js';

/** Of everything together: who types five letters does not wait for a server that is away. */
const WITHIN_MS = 2000;
const STATEMENT_TIMEOUT_MS = 1500;

async function readBackup(context: Context, standing: Standing, databaseName: string | undefined): Promise<void> {
  const { listBackups } = await import('../../features/backup/list.js');
  const list = await listBackups(context.config.backupDir).catch((error: unknown) => {
    if (isAisecError(error, 'BACKUP_DIRECTORY')) return { backups: [] };
    throw error;
  });
  const own = list.backups.filter(
    ({ state, database }) =>
      !['incomplete', 'unreadable'].includes(state) && (databaseName === undefined || database === databaseName),
  );
  standing.backup = own[0] ?? null;
}

async function readSession(session: Session, context: Context, standing: Standing): Promise<void> {
  standing.serverVersion = session.info.serverVersion;
  const [{ migrationStatus }, { countMonthsAhead, readPartitions }] = await Promise.all([
    import('../../features/migrate/status.js'),
    import('../../features/messages/index.js'),
  ]);
  standing.migrations = await migrationStatus(session, await migrateSettings(context));
  standing.monthsAhead = await readPartitions(session, context.config.schema).then(
    countMonthsAhead,
    (error: unknown) => {
      if (isAisecError(error, 'MIGRATION_PENDING')) return null;
      throw error;
    },
  );
}

/** Looks at the database, filling in what it finds. The embedded one is not opened: that takes a second, and one process has it. */
async function look(context: Context, standing: Standing): Promise<void> {
  const { resolveDatabaseTarget } = await import('../../config/database-target.js');
  const target = resolveDatabaseTarget(context.config);
  standing.target = target;
  if (target.kind === 'embedded') {
    standing.isMade = existsSync(join(target.dataDir, 'PG_VERSION'));
    await readBackup(context, standing, undefined);
    return;
  }
  await readBackup(context, standing, target.connection.database);
  await context.withDatabase({ statementTimeoutMs: STATEMENT_TIMEOUT_MS, isSilent: true }, (session) =>
    readSession(session, context, standing),
  );
}

function asFailure(error: unknown): AisecError {
  if (error instanceof AisecError) return error;
  return new AisecError('INTERNAL', redactText(error instanceof Error ? error.message : String(error)));
}

async function run(given: Context): Promise<void> {
  const deadline = new AbortController();
  const late = new AisecError('DATABASE_UNREACHABLE', `no answer within ${WITHIN_MS / 1000} s`, {
    hint: 'Check that the server runs, and that the address is right.',
  });
  const context = createContext({
    ...given,
    config: { ...given.config, waitForDatabaseMs: 0 },
    signal: AbortSignal.any([given.signal, deadline.signal]),
  });
  const standing: Standing = {
    target: undefined,
    failure: undefined,
    serverVersion: undefined,
    isMade: false,
    migrations: undefined,
    monthsAhead: undefined,
    backup: undefined,
    backupDir: given.config.backupDir,
    cwd: given.config.cwd,
  };
  try {
    await unlessSilent(WITHIN_MS, look(context, standing), () => {
      deadline.abort(late);
      throw late;
    });
  } catch (error) {
    if (given.signal.aborted) throw error;
    standing.failure = asFailure(error);
  }
  given.output.result(standing, renderStanding);
}

/** `aisec` alone. It is in no list of commands, and takes no options. */
export const standingCommand: CommandSpec = {
  name: 'status',
  summary: '',
  description: '',
  options: [],
  examples: [],
  run,
};
