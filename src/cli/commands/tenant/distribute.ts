import type { MovedTenant } from '../../../features/tenant/index.js';
import { defineCommand, type Context } from '../../command.js';
import { LOCK_OPTIONS } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { movedText, moveOptions, renderMoved, type MoveFlags } from './moved-tables.js';

function acrossText({ isMoved, isDryRun }: MovedTenant): string {
  if (!isMoved) return 'is distributed already';
  return isDryRun ? 'would be distributed' : 'distributed';
}

function summary({ database, schema, isMoved, isDryRun, tables, node }: MovedTenant): string {
  const where = node === null ? '' : ` on ${node}`;
  if (!isMoved) return `${database}: schema ${schema} is distributed already${where}.`;
  const what = movedText(tables);
  return isDryRun
    ? `${database}: dry run, rolled back; schema ${schema} would be distributed, ${what}.`
    : `${database}: schema ${schema} is distributed, ${what}${where}.`;
}

async function run(context: Context, flags: MoveFlags): Promise<void> {
  const result = await context.withDatabase({ lockTimeoutMs: flags.lockTimeout }, async (session) => {
    const { distributeTenantAlone } = await import('../../../features/tenant/index.js');
    return distributeTenantAlone(session, moveOptions(context, flags), reportingTo(context));
  });
  context.output.done(result, renderMoved);
  context.output.note(summary(result));
}

export const tenantDistribute = defineCommand<MoveFlags>({
  name: 'tenant distribute',
  summary: 'move the schema with its rows to a worker of Citus',
  description:
    'Makes a schema a distributed tenant of Citus (schema-based sharding), with its rows, in one transaction: its tables are locked meanwhile, rows are counted before and after, and what Citus refuses leaves everything as it was. ' +
    'Policies are replaced by such as Citus takes, and cache notifications end. `migrate up` does it for a new schema where citus.enable_schema_based_sharding is on. The way back: `tenant undistribute`. See docs/scale.md.',
  options: [
    {
      flags: '--dry-run',
      description:
        'count the rows and look for what Citus would refuse, the tables locked for a moment; change nothing',
    },
    ...LOCK_OPTIONS,
  ],
  acrossSchemas: acrossText,
  examples: [
    ['aisec tenant distribute --schema acme --dry-run', 'See whether it can be moved, and how much'],
    ['aisec tenant distribute --schema acme', 'Move one tenant to a worker'],
    ["aisec tenant distribute --schema 'tenant_*' --jobs 2", 'Move every tenant, two at once'],
  ],
  run,
});
