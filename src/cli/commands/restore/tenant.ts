import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import type { DanglingRule } from '../../../features/backup/restore/load-table.js';
import type { SchemaRestoreResult } from '../../../features/backup/restore-schema.js';
import { PLACE_OPTIONS, type PlaceOptions } from '../../backup-place.js';
import { checkSource, erasureSourceOf, givenBackup, latestGiven, requireServer, sourceOf } from './source.js';
import { defineCommand, type Context } from '../../command.js';
import { choiceOption, IDENTITY_OPTION, LOCK_OPTIONS, lockTimes, type LockOptions } from '../../options.js';
import { reportingTo } from '../../reporting.js';

interface Options extends LockOptions, PlaceOptions {
  readonly latest: boolean;
  readonly identity?: string;
  readonly dangling?: DanglingRule;
  readonly withoutManifest: boolean;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly dryRun: boolean;
}

export interface RestoredTenant extends SchemaRestoreResult {
  /** Where it lies now: `host:port` of a node of Citus; null on this server. */
  readonly node: string | null;
  readonly durationMs: number;
}

const RULES: readonly DanglingRule[] = ['refuse', 'leave-out', 'not-valid'];

/** Of a schema that is restored, and committed: to restore it again would be refused. @throws what it is given, with what to run. */
function notDistributed(schema: string): (error: unknown) => never {
  return (error) => {
    if (!isAisecError(error)) throw error;
    const { code, message, detail, sqlState, cause } = error;
    throw new AisecError(code, message, {
      detail: `${detail === undefined ? '' : `${detail.replace(/\.$/, '')}. `}The schema "${schema}" is restored, whole, and lies on the coordinator.`,
      hint: `Do not restore it again. What gives it to a worker: ${aisecCommand('tenant distribute', schema)}`,
      sqlState,
      cause,
    });
  };
}

async function restored(context: Context, options: Options, given: string): Promise<RestoredTenant> {
  const startedMs = performance.now();
  const { schema } = context.config;
  const access = await context.serverAccess();
  const reporting = reportingTo(context);
  return context.withDatabase({ lockTimeoutMs: options.lockTimeout }, async (session) => {
    const [{ restoreSchema }, tenants] = await Promise.all([
      import('../../../features/backup/restore-schema.js'),
      import('../../../features/tenant/index.js'),
    ]);
    const place = await tenants.readTenantPlace(session, schema);
    const isToMove = place === 'awaited';
    if (isToMove && !options.dryRun) await tenants.takeBackEmpty(session, schema);
    const settings = {
      schema,
      withoutManifest: options.withoutManifest,
      source: sourceOf(context, options),
      dangling: options.dangling ?? 'refuse',
      erasures: erasureSourceOf(context, options),
      withoutOwners: !options.owner,
      withoutPrivileges: !options.privileges,
      afterwards: isToMove ? [tenants.awaitedNote(schema)] : [],
      waitMs: options.wait,
      isDryRun: options.dryRun,
    };
    const result = await restoreSchema(access, session, given, settings, reporting);
    const moved =
      isToMove && !options.dryRun
        ? await tenants
            .distributeTenantAlone(session, { schema, ...lockTimes(options) }, reporting)
            .catch(notDistributed(schema))
        : undefined;
    return { ...result, node: moved?.node ?? null, durationMs: Math.round(performance.now() - startedMs) };
  });
}

async function run(context: Context, options: Options, argument: string): Promise<void> {
  const { output } = context;
  checkSource(options, argument);
  await requireServer(context, 'tenant restore', argument);
  const asked = options.latest ? await latestGiven(context, options) : argument;
  const result = await restored(context, options, await givenBackup(context, asked, options));
  output.done(result, () => '');
  for (const warning of result.warnings) output.warning(warning);
  const { database, schema, tables, rows, node, durationMs } = result;
  const what = `${countText(tables, 'table')} with ${countText(rows, 'row')}`;
  output.note(
    result.isDryRun
      ? `${database}: dry run, rolled back; schema ${schema} would be restored, ${what}.`
      : `${database}: schema ${schema} is restored in ${formatDurationMs(durationMs)}, ${what}${node === null ? '' : `, on ${node}`}.`,
  );
}

export const tenantRestore = defineCommand<Options>({
  name: 'tenant restore',
  summary: 'bring the schema back from a backup, beside the others',
  description:
    'Restores the schema of --schema with all that is in it from a backup of the database, in one transaction; other schemas are not touched. The schema must be missing: what is there is refused, with the statement that keeps it under another name. ' +
    'Rows and row-level security are compared with the backup, and people who were erased since stay erased. Where Citus distributes new schemas it is distributed again, rows counted before and after; a run that is killed in between is continued by `tenant distribute`.',
  argument: {
    syntax: '[file]',
    description: 'a backup, as `aisec restore` takes it: a path, a name in the directory or the store, or an address',
  },
  options: [
    {
      flags: '--latest',
      description: 'the newest verified backup of the configured database, in the directory or the store; says which',
    },
    ...PLACE_OPTIONS,
    {
      flags: '--dangling <rule>',
      description:
        'rows that refer to rows which are gone: refuse (default); leave-out; not-valid, to keep them and make the key NOT VALID',
      parse: choiceOption(RULES, 'rule', { expected: `: expected ${RULES.join(', ')}`, hint: 'See --help.' }),
      values: RULES,
    },
    { flags: '--no-owner', description: 'leave owners out: everything belongs to the role that restores' },
    { flags: '--no-privileges', description: 'leave grants out' },
    {
      flags: '--without-manifest',
      description: 'take an archive that has none: it is read whole first, and rows are not compared',
    },
    IDENTITY_OPTION,
    { flags: '--dry-run', description: 'load the rows, see whether every key can be made, and roll back' },
    ...LOCK_OPTIONS,
  ],
  examples: [
    ['aisec tenant restore --latest --schema acme --dry-run', 'See what the newest backup has of one tenant'],
    ['aisec tenant restore FILE --schema acme', 'Bring one tenant back, on Citus to a worker'],
  ],
  run,
});
