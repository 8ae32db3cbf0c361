import { aisecCommand } from '../../../base/package/aisec-command.js';
import type { MovedTenant } from '../../../features/tenant/index.js';
import { defineCommand, type Context } from '../../command.js';
import { LOCK_OPTIONS } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { movedText, moveOptions, renderMoved, type MoveFlags } from './moved-tables.js';

function acrossText({ isMoved, isDryRun }: MovedTenant): string {
  if (!isMoved) return 'lies on the coordinator already';
  return isDryRun ? 'would be brought back' : 'brought back';
}

function summary({ database, schema, isMoved, isDryRun, tables, node }: MovedTenant): string {
  if (!isMoved) return `${database}: schema ${schema} lies on the coordinator already.`;
  if (isDryRun)
    return `${database}: dry run, rolled back; schema ${schema} would be brought back from ${node ?? ''}, ${movedText(tables)}.`;
  return `${database}: schema ${schema} is brought back from ${node ?? ''}, ${movedText(tables)}. Its policies stay those of a tenant; what gives it those of the migrations: ${aisecCommand('migrate drift --sql', schema)}`;
}

async function run(context: Context, flags: MoveFlags): Promise<void> {
  const result = await context.withDatabase({ lockTimeoutMs: flags.lockTimeout }, async (session) => {
    const { undistributeTenant } = await import('../../../features/tenant/undistribute.js');
    return undistributeTenant(await context.serverAccess(), session, moveOptions(context, flags), reportingTo(context));
  });
  context.output.done(result, renderMoved);
  context.output.note(summary(result));
}

export const tenantUndistribute = defineCommand<MoveFlags>({
  name: 'tenant undistribute',
  summary: 'bring the schema with its rows back from a worker of Citus',
  description:
    'Makes a distributed tenant of Citus an ordinary schema on the coordinator again, with its rows, in one transaction: writers wait meanwhile, rows and catalog are compared before and after, and what fails or is killed leaves the tenant where it was. ' +
    'The schema is dumped into a temporary file (TMPDIR), dropped and made again, since the way back of Citus itself refuses identity columns. Needs pg_dump and pg_restore.',
  options: [
    { flags: '--dry-run', description: 'lock the tables for a moment and count the rows; change nothing' },
    ...LOCK_OPTIONS,
  ],
  acrossSchemas: acrossText,
  examples: [
    ['aisec tenant undistribute --schema acme --dry-run', 'See how much would be brought back'],
    ['aisec tenant undistribute --schema acme', 'Bring one tenant back to the coordinator'],
  ],
  run,
});
