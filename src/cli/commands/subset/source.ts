import { AisecError } from '../../../base/errors.js';
import { DIRECTORY_OPTION, directoryOf, type DirectoryOption, givenPath } from '../../backup-place.js';
import type { Context, OptionSpec, Session } from '../../command.js';
import { IDENTITY_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';

export interface SourceOptions extends DirectoryOption {
  readonly backup?: string;
  readonly identity?: string;
  readonly wait: number;
}

export const SOURCE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--backup <file>',
    description:
      'take the rows from a backup, which is restored beside and dropped again: a path, a name, an s3:// address',
  },
  DIRECTORY_OPTION,
  IDENTITY_OPTION,
];

/** Runs the callback with a session on the configured database, or on a copy that a backup was restored into. */
export async function withSource<Result>(
  context: Context,
  options: SourceOptions,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { backup, identity, wait } = options;
  const { cwd } = context.config;
  if (backup === undefined) {
    if (identity !== undefined)
      throw new AisecError('USAGE', '--identity requires --backup', { hint: 'It opens an encrypted backup.' });
    return context.withDatabase({ idleTimeoutMs: 0 }, use);
  }
  const access = await context.serverAccess();
  const directory = directoryOf(context, options);
  const { schema } = context.config;
  const [{ withRehearsalDatabase }, { gatherErasures }, { eraseAgain }] = await Promise.all([
    import('../../../features/backup/rehearsal-database.js'),
    import('../../../features/backup/erasures/gather.js'),
    import('../../../features/user/erase-again.js'),
  ]);
  return withRehearsalDatabase(
    access,
    {
      given: backup,
      directory,
      place: undefined,
      endpoint: undefined,
      identityFile: givenPath(context, identity),
      cwd,
      // The copy is read once by this role, and dropped.
      withoutOwners: true,
      withoutPrivileges: true,
      waitMs: wait,
      onProgress: context.progress.report,
    },
    async (database, { file }) => {
      // Who was erased since is not handed on, masked or not. On a session of its own: it makes temporary tables.
      const lists = await gatherErasures(
        access,
        file,
        { schema, directory, endpoint: undefined, identityFile: undefined },
        (read) => access.withDatabase(access.databaseName, read),
        reportingTo(context).onWarning,
      );
      await access.withDatabase(database, (session) =>
        eraseAgain(session, schema, lists.records, reportingTo(context)),
      );
      return access.withDatabase(database, use);
    },
  );
}
