import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { createEmbeddedDirectory } from '../support/database.js';
import { createMigratedEmbedded, queryEmbedded } from '../support/migrated-embedded.js';
import { runInProcess } from '../support/run-in-process.js';

/** One statement: each one opens the database again. */
const FAULTS = `do $faults$ begin
  alter table voices disable row level security;
  create table "Audit Log" (id serial primary key);
  alter table "Audit Log" enable row level security;
  insert into users (username, email, password_hash) values ('admin', 'a@x', crypt('admin123', gen_salt('bf', 6)));
end $faults$`;

describe('aisec doctor on the embedded database', () => {
  let env: Readonly<Record<string, string>> = {};
  let cwd = '';
  beforeAll(async () => {
    const dataDir = await createMigratedEmbedded();
    await queryEmbedded(dataDir, FAULTS);
    env = { AISEC_DATA_DIR: dataDir };
    cwd = await createEmbeddedDirectory();
  });

  test('--verbose names by area what is well, and nothing that was found, ignored or skipped; --list prints the checks without a database', async () => {
    const { stderr } = await runInProcess(['doctor', '--only', 'security,sequences', '--verbose'], { env, cwd });
    expect(stderr).toContain('good: sequences: sequence-end\n');
    expect(/^good: security: (.*)$/m.exec(stderr)?.[1]?.split(', ')).toEqual(
      expect.not.arrayContaining(['rls-off', 'bcrypt-cost', 'default-password']),
    );
    const list = await runInProcess(['doctor', '--list', '--only', 'sequences']);
    expect(list).toMatchObject({ exitCode: 0, stderr: '' });
    expect(list.stdout).toMatch(/^check\tarea\tseverity\tfinds\nsequence-end\tsequences\twarning\tsequences past 75 %/);
    expect(JSON.parse((await runInProcess(['doctor', '--list', '--json'])).stdout)).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ id: 'rls-off', area: 'security' })]),
    });
    expect((await runInProcess(['doctor', '--list', '--nagios'])).exitCode).not.toBe(0);
  });

  test('finds what is wrong, leaves out what only a server has, and exits 3; an entry of the ignore file with a reason and a day lets it pass', async () => {
    writeFileSync(
      path.join(cwd, '.aisec-doctor.json'),
      JSON.stringify({
        ignore: [
          { id: 'default-password', reason: 'a demo', until: '9999-12-31' },
          { id: 'bcrypt-cost:cost-06', reason: 'a demo', until: '2001-01-01' },
          { id: 'index-redundnat', reason: 'as the document has them', until: '9999-12-31' },
        ],
      }),
    );
    const run = await runInProcess(['doctor', '--json'], { env, cwd });
    expect(run.exitCode).toBe(3);
    const found = JSON.parse(run.stdout) as {
      counts: Record<string, number>;
      findings: readonly Record<string, string>[];
      ignored: readonly Record<string, string>[];
      notApplicable: readonly { check: string }[];
    };
    expect(found.findings.filter(({ severity }) => severity !== 'notice')).toEqual([
      {
        evidence: null,
        id: 'rls-off:voices',
        check: 'rls-off',
        area: 'security',
        severity: 'critical',
        object: 'voices',
        message: 'voices has 2 policies, and row-level security is off',
        impact: 'its policies are not enforced: authenticated can read the rows of every user',
        fix: 'alter table "public"."voices" enable row level security;',
      },
      expect.objectContaining({ id: 'bcrypt-cost:cost-06', severity: 'warning' }),
    ]);
    expect(found.ignored).toEqual([expect.objectContaining({ id: 'default-password:admin', reason: 'a demo' })]);
    expect(found.counts).toMatchObject({ critical: 1, warning: 1, notice: 8, skipped: 0, ignored: 1 });
    expect(found.notApplicable.map(({ check }) => check)).toContain('replication-slot');
    expect(run.stderr).toContain('warning: ignore file: bcrypt-cost:cost-06: it was ignored until 2001-01-01: a demo');
    expect(run.stderr).toContain('warning: ignore file: index-redundnat: there is no check "index-redundnat"');
  });
});

describe('aisec doctor', () => {
  test.each([
    [['--only', 'securty'], 'there is no area and no check "securty"', 'Did you mean "security"?'],
    [['--fail-on', 'notice'], '--fail-on: invalid level "notice", expected warning or critical', 'See --help.'],
    [
      ['--thresholds', 'blocked-tmie=1s:2s'],
      '--thresholds: unknown threshold "blocked-tmie"',
      'Did you mean "blocked-time"?',
    ],
    [['--thresholds', 'replica-bytes=2GB:1GB'], 'invalid threshold "replica-bytes=2GB:1GB"', 'replica-bytes=64MB:1GB'],
    [['--thresholds', 'transaction=5:9'], 'invalid threshold "transaction=5:9"', 'transaction=30s:5min'],
    [['--ignore-file', 'none.json'], 'could not read', 'none.json'],
  ])('%s is refused before anything is opened, exit 2', async (args, message, more) => {
    const run = await runInProcess(['doctor', ...args]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain(more);
  });

  test.each([
    [['--only', 'rls'], 3, /^AISEC UNKNOWN - --only: there is no area and no check "rls"\n$/],
    [['--only', 'security'], 2, /^AISEC CRITICAL - .*\n$/],
  ])('as a plugin, %s ends with %d', async (args, exitCode, line) => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const run = await runInProcess(['doctor', '--nagios', ...args], { env });
    expect(run).toMatchObject({ exitCode, stderr: '' });
    expect(run.stdout).toMatch(line);
  });
});
