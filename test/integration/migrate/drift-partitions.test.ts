import { expect, test } from 'vitest';

import { parseStatements } from '../../../src/adapters/sql-parser/statements.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

interface Finding {
  readonly id: string;
  readonly differences: readonly { readonly property: string }[];
}

function findingsOf(run: CliResult): readonly Finding[] {
  return (JSON.parse(run.stdout) as { findings: readonly Finding[] }).findings;
}

describeOnServer('migrate drift of a partitioned table', () => {
  test('what a partition has from the table above it is no difference of its own, and comes and goes with it', async () => {
    const database = await createServerDatabase({ migrated: true });
    const env = { DATABASE_URL: database.url, AISEC_CACHE_DIR: await createEmbeddedDirectory() };
    const aisec = (...args: readonly string[]): Promise<CliResult> => runInProcess(args, { env });
    await database.admin.query(`
      alter table messages drop constraint messages_conversation_id_fkey, drop constraint messages_role_check;
      drop index idx_messages_conversation_id;
      alter table messages drop column metadata cascade;
      alter table messages add constraint mine check (role <> 'x');
      create index mine on messages (role, id)`);
    const before = await aisec('migrate', 'drift', '--json');
    expect(findingsOf(before).filter(({ id }) => id.includes('messages_default'))).toEqual([]);
    const script = await aisec('migrate', 'drift', '--sql');
    const parsed = await parseStatements(script.stdout);
    if ('error' in parsed) throw new Error(parsed.error.message);
    for (const { text } of parsed.statements) await database.admin.query(text);
    const after = await aisec('migrate', 'drift', '--json');
    expect(findingsOf(after).flatMap(({ differences }) => differences.map(({ property }) => property))).toEqual(
      findingsOf(after).map(() => 'columnOrder'),
    );
  });
});
