import { basename } from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import { withTimeout } from '../../../base/interruption.js';
import type { VerifyOptions, VerifyResult } from '../../../features/backup/verify.js';
import { PLACE_OPTIONS, type PlaceOptions, givenPath } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { countOption, WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { BACKUPS_ARGUMENT, chosenBackups } from './chosen-backups.js';
import { TIMEOUT_OPTION } from './options.js';

interface Options extends PlaceOptions {
  readonly identity?: string;
  readonly deep: boolean;
  /** Commander's negation: false with --no-owner. */
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly jobs: number;
  readonly timeout: number;
  readonly wait: number;
}

interface Verified {
  readonly results: readonly VerifyResult[];
}

function renderResults({ results }: Verified, { table, paint, isTTY }: Renderer): string {
  return table(results, [
    { title: 'file', value: (row) => (isTTY ? basename(row.file) : row.file) },
    { title: 'size', value: (row) => (isTTY ? formatBytes(row.sizeBytes) : String(row.sizeBytes)), align: 'right' },
    { title: 'level', value: (row) => row.level },
    { title: 'verdict', value: ({ verdict }) => (verdict === 'good' ? verdict : paint.red(verdict)) },
    { title: 'why', value: (row) => row.reason ?? '' },
  ]);
}

/** Of the embedded database in memory, and else on the configured server, which is asked only when there is something to restore. */
async function tryEach(
  context: Context,
  { timeout: timeoutMs, jobs, wait: waitMs, owner, privileges }: Options,
  files: readonly string[],
  common: Omit<VerifyOptions, 'signal'>,
): Promise<readonly VerifyResult[]> {
  const { isOfEmbedded } = await import('../../../features/backup/catalog/find-backup.js');
  const { verifyByLoading, verifyDeeply } = await import('../../../features/backup/verify/verify-deep.js');
  const results: VerifyResult[] = [];
  const signal = withTimeout(context.signal, timeoutMs);
  for (const file of files.filter(isOfEmbedded))
    results.push(await verifyByLoading(file, { ...common, signal, engine: context.scratchOptions(signal) }));
  const ofServer = files.filter((file) => !isOfEmbedded(file));
  if (ofServer.length === 0) return results;
  const access = await context.serverAccess({ timeoutMs });
  const leftOut = { withoutOwners: !owner, withoutPrivileges: !privileges };
  for (const file of ofServer)
    results.push(await verifyDeeply(access, file, { ...common, ...leftOut, signal: access.signal, jobs, waitMs }));
  return results;
}

const WHAT_THEN: Readonly<Record<Exclude<VerifyResult['verdict'], 'good'>, string>> = {
  damaged: 'the manifest says so from now on. Make a new backup: aisec backup',
  incomplete: 'bring back what is missing beside it, or make a new backup: aisec backup',
  'not tried': 'that says nothing of the backup, and its manifest is as it was.',
};

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const { output, progress, programPlaces: places, commandName } = context;
  if ((!options.owner || !options.privileges) && !options.deep)
    throw new AisecError('USAGE', `${options.owner ? '--no-privileges' : '--no-owner'} requires --deep`, {
      hint: 'See: aisec backup verify --help',
    });
  const files = await chosenBackups(context, options, argument);
  const { identity, endpoint } = options;
  const source = {
    identityFile: givenPath(context, identity),
    endpoint,
  };
  const common = { command: `aisec ${commandName}`, places, onProgress: progress.report, ...source };
  const results: VerifyResult[] = [];
  if (options.deep) {
    results.push(...(await tryEach(context, options, files, common)));
  } else {
    const { verifyBackup } = await import('../../../features/backup/verify.js');
    const signal = withTimeout(context.signal, options.timeout);
    for (const file of files) results.push(await verifyBackup(file, { ...common, signal }));
  }
  for (const { file, lacks } of results)
    if (lacks !== null) output.warning(`${file} is a partial backup: it lacks ${lacks}`);
  const isAllGood = results.every(({ verdict }) => verdict === 'good');
  if (!isAllGood) output.result({ results }, renderResults);
  else output.done({ results }, renderResults);
  const durationMs = results.reduce((sum, each) => sum + each.durationMs, 0);
  const what = options.deep
    ? 'restored, compared with the manifest and dropped again'
    : 'read whole, checksums compared';
  if (isAllGood) {
    output.note(
      `${results.length === 1 ? 'good' : `all ${results.length} are good`}: ${what} in ${formatDurationMs(durationMs)}.`,
    );
    return undefined;
  }
  for (const verdict of ['damaged', 'incomplete', 'not tried'] as const) {
    const count = results.filter((result) => result.verdict === verdict).length;
    if (count > 0) output.note(`${count} of ${results.length} ${verdict}; ${WHAT_THEN[verdict]}`);
  }
  return 3;
}

export const backupVerify = defineCommand<Options>({
  name: 'backup verify',
  summary: 'verify that a backup is complete, or that it can be restored',
  description:
    'Compares the checksums with the manifest and unpacks every byte; with --deep also restores it into a database of its own, aisec_verify_NAME, on the configured server, ' +
    'compares the rows of every table and the catalog with the manifest, and drops it again; a backup of the embedded database is loaded into another one in memory, and needs no server. What was found is written to the manifest, where list, check and retention read it.',
  argument: BACKUPS_ARGUMENT,
  options: [
    ...PLACE_OPTIONS,
    { flags: '--deep', description: 'restore it to try it' },
    { flags: '--no-owner', description: 'with --deep: leave owners out, on a server without its roles' },
    { flags: '--no-privileges', description: 'with --deep: leave grants out' },
    {
      flags: '--jobs <n>',
      description: 'with --deep: tables and indexes restored at once',
      default: '1',
      parse: countOption(1),
    },
    { flags: '--identity <file>', description: 'file with the secret keys of age, to look into an encrypted one' },
    TIMEOUT_OPTION,
    WAIT_OPTION,
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup verify', 'Read the newest backup whole'],
    ['aisec backup verify --store s3://backups/prod', 'The newest copy in a store'],
    [
      'aisec backup verify --deep --quiet',
      'Weekly, from cron: restore the newest one; exit 3 when it is not as it was',
    ],
  ],
  run,
});
