import { countText } from '../../../base/count.js';
import type { MigrationCheck } from '../../../features/migrate/check.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { renderFindings } from '../../terminal/findings.js';
import { migrateSettings } from './settings.js';

interface Options {
  readonly allowNewer: boolean;
}

function acrossText({ findings, isCurrent }: MigrationCheck): string {
  return isCurrent ? 'every migration is applied' : countText(findings.length, 'finding');
}

async function run(context: Context, { allowNewer }: Options): Promise<ExitCode | undefined> {
  const settings = await migrateSettings(context);
  const check = await context.withDatabase({ statementTimeoutMs: 30_000, seesFewTables: true }, async (session) => {
    const { checkCurrent } = await import('../../../features/migrate/check.js');
    return checkCurrent(session, settings, { allowsNewer: allowNewer });
  });
  const { database, schema, findings, isCurrent } = check;
  context.output.result(check, renderFindings);
  context.output.note(
    `${database}, schema ${schema}: ${isCurrent ? 'every migration is applied' : countText(findings.length, 'finding')}.`,
  );
  return isCurrent ? undefined : 3;
}

export const migrateCheck = defineCommand<Options>({
  name: 'migrate check',
  summary: 'check that every migration is applied as its file says',
  description:
    'Compares the migration files with the history of the database, and looks for INVALID indexes. Reads only. Exits 3 when the database is not current; each finding comes with its fix.',
  options: [{ flags: '--allow-newer', description: 'a database that a newer version has migrated is current' }],
  acrossSchemas: acrossText,
  examples: [
    ['aisec migrate check --quiet', 'For a pipeline: exit 3 unless everything is applied'],
    ['aisec migrate check --allow-newer', 'After a deployment was rolled back'],
  ],
  isPaged: true,
  run,
});
