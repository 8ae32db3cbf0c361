import { beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('migrate diagram', () => {
  let database: ServerDatabase;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(`
      create table "Odd name" (
        id int primary key,
        "second column" numeric(10, 2),
        tags text[],
        user_id uuid not null unique references users
      )`);
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['migrate', 'diagram', ...args], { env: { DATABASE_URL: database.url } });

  test('prints every table but partitions, with columns, keys and relations', async () => {
    const { exitCode, stdout } = await aisec();
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('erDiagram');
    expect(lines).toContain('    messages {');
    expect(stdout).not.toContain('messages_default');
    expect(stdout).not.toMatch(/messages_y\d{4}/);
    expect(lines).toContain('        uuid conversation_id FK');
    expect(lines).toContain('        varchar_50 username UK');
    expect(lines).toContain('    conversations ||--o{ messages : "conversation_id"');
    expect(lines).toContain('    message_keys |o--o{ messages : "parent_id"');
    expect(lines).toContain('    users ||--o| user_preferences : "user_id"');
  });

  test('names that Mermaid does not take as they are are quoted or written with underscores', async () => {
    const { stdout } = await aisec('--table', 'Odd name', '--table', 'users');
    expect(stdout).toContain('    "Odd name" {\n        int'.replace('int', 'integer'));
    expect(stdout).toContain('        numeric_10_2 second_column "null"');
    expect(stdout).toContain('        text_array tags "null"');
    expect(stdout).toContain('    users ||--o| "Odd name" : "user_id"');
    expect(stdout).not.toContain('assistants');
  });

  test('a table that is not there is wrong usage, with the nearest name', async () => {
    const run = await aisec('--table', 'mesages');
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain('Did you mean "messages"?');
  });
});
