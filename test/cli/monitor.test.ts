import { beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { onTerminal } from '../support/on-terminal.js';
import { runCli, startCli } from '../support/run-cli.js';

describeOnServer('aisec monitor', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
  });

  test('tables is tab-separated in a pipe, with integers, and aligned for people on a terminal', async () => {
    const piped = await runCli(['monitor', 'tables', '--partitions'], { env });
    expect(piped).toMatchObject({ exitCode: 0 });
    const lines = piped.stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('table\tpartition\trows\tdead rows\ttotal\theap\tmaps\ttoast\tindexes\tlocked by\tshare');
    expect(lines.find((line) => line.startsWith('messages\tmessages_default\t'))).toMatch(
      /^messages\tmessages_default\t0\t0\t\d+\t0\t0\t8192\t\d+\t\t\d+\.\d$/,
    );
    const { screen } = await onTerminal('aisec monitor tables', { ...env, NO_COLOR: '1' });
    expect(screen).toMatch(/^messages \(5 partitions\) +0 +0 +\d+ kB +0 bytes/m);
    expect(screen).toContain('tables, ');
  });

  test('--watch in a pipe writes one document a look, and ends at Ctrl-C with 130 and no word', async () => {
    const cli = startCli(['monitor', 'tables', '--watch', '500ms', '--json'], { env });
    while (cli.stdout().split('\n').length < 3) await cli.waitForOutput(/\n.*\n/);
    cli.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await cli.finished;
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: '' });
    const looks = stdout.trimEnd().split('\n');
    expect(looks.length).toBeGreaterThanOrEqual(2);
    for (const look of looks) expect(JSON.parse(look)).toMatchObject({ schema: 'public', skipped: [] });
  });

  test('--watch on a terminal draws over what it drew, and ends when nobody reads any more', async () => {
    const { screen } = await onTerminal('timeout -s INT 3 aisec monitor partitions --watch 500ms', {
      ...env,
      NO_COLOR: '1',
    });
    expect(screen.split('\u001B[H').length).toBeGreaterThanOrEqual(3);
    expect(screen).toContain('Ctrl-C ends');
    const cut = await onTerminal(`aisec monitor tables --watch 500ms 2>&1 | head -1`, env);
    expect(cut).toMatchObject({ exitCode: 0 });
    expect(cut.screen.trim()).toMatch(/^table\t/);
  });

  test.each([['5'], ['100ms'], ['tables']])(
    '--watch %s is refused before anything is opened, exit 2',
    async (value) => {
      const run = await runCli(['monitor', 'tables', '--watch', value]);
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain(`error: --watch: "${value}" is `);
    },
  );
});
