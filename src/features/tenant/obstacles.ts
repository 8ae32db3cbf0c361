import { AisecError } from '../../base/errors.js';
import { listed } from '../../base/count.js';
import { aisecCommand } from '../../base/package/aisec-command.js';

interface Table {
  readonly table_name: string;
  readonly is_ours: boolean;
  readonly policies: readonly string[];
}

/** What Citus would refuse in the middle. @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING. */
export function refuseTables(schema: string, tables: readonly Table[]): void {
  const names = new Set(tables.map((table) => table.table_name));
  if (!names.has('message_keys') || !names.has('erasures'))
    throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" has not all tables of the platform`, {
      detail: 'No changes were made.',
      hint: `Run first: ${aisecCommand('migrate up', schema)}`,
    });
  const foreign = tables.filter((table) => !table.is_ours);
  if (foreign.length > 0)
    throw new AisecError(
      'PRIVILEGE_MISSING',
      `this role does not own ${listed(foreign.map((table) => table.table_name))} in the schema "${schema}"`,
      {
        detail: 'Citus moves a table for its owner only. No changes were made.',
        hint: 'Run it as the role that owns the schema and all of its tables.',
      },
    );
}

/** When ours are replaced. @throws AisecError DATABASE_UNSUPPORTED. */
export function refusePolicies(tables: readonly Table[]): void {
  const policies = tables.flatMap((table) => table.policies.map((policy) => `${policy} on ${table.table_name}`));
  if (policies.length > 0)
    throw new AisecError('DATABASE_UNSUPPORTED', `Citus takes no policy with a subquery: ${listed(policies)}`, {
      detail: 'No changes were made.',
      hint: 'Put a STABLE function in its place that asks with citus.allow_nested_distributed_execution on; see docs/scale.md.',
    });
}
