import { countText, listed } from '../../../base/count.js';
import { labelOf } from '../../../features/migrate/files/source.js';
import type { VerifyFinding, VerifyResult } from '../../../features/migrate/verify.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { migrateSettings } from './settings.js';

function describe(finding: VerifyFinding): string {
  if (finding.missingFrom !== null) return `not in ${finding.missingFrom}`;
  return finding.renamedTo === null ? finding.problem : `renamed to ${finding.renamedTo}`;
}

function acrossText({ verified, findings }: VerifyResult): string {
  return `${countText(verified, 'file is', 'files are')} as recorded, ${findings.length} not`;
}

async function run(context: Context): Promise<ExitCode | undefined> {
  const settings = await migrateSettings(context);
  const result = await context.withDatabase({ statementTimeoutMs: 30_000, seesFewTables: true }, async (session) => {
    const { verifyMigrations } = await import('../../../features/migrate/verify.js');
    return verifyMigrations(session, settings);
  });
  context.output.result(result, ({ findings }, { table }) =>
    findings.length === 0
      ? ''
      : table(findings, [
          { title: 'migration', value: labelOf },
          { title: 'problem', value: describe },
          { title: 'recorded', value: (row) => row.recordedChecksum?.slice(0, 12) ?? '' },
          { title: 'file', value: (row) => row.fileChecksum?.slice(0, 12) ?? '' },
        ]),
  );
  const { verified, findings, withoutChecksum } = result;
  if (withoutChecksum.length > 0)
    context.output.warning(
      `without a recorded checksum, which aisec migrate repair records: ${listed(withoutChecksum)}`,
    );
  context.output.note(
    `${result.database}: ${countText(verified, 'applied file is', 'applied files are')} as recorded, ${findings.length} not.`,
  );
  return findings.length === 0 ? undefined : 3;
}

export const migrateVerify = defineCommand<object>({
  name: 'migrate verify',
  summary: 'compare the files with the checksums recorded when they ran',
  description:
    'Compares every applied migration with the checksum recorded when it ran; exits 3 when one was edited, renamed or removed, or only one of the two tables of the history has it. Line ends, trailing blanks and comments may differ.',
  options: [],
  acrossSchemas: acrossText,
  examples: [
    ['aisec migrate verify', 'Check that applied files were not touched'],
    ['aisec migrate verify --json', 'The same, with full checksums'],
  ],
  isPaged: true,
  run,
});
