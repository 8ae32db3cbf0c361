import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { onTerminal } from '../support/on-terminal.js';

const SHOWN = /^admin password \(generated, shown only this once\): ([a-zA-Z0-9]{20})\r?$/gm;

const shownPasswords = (screen: string): readonly string[] =>
  [...screen.matchAll(SHOWN)].map((match) => match[1] ?? '');

describeOnServer('aisec seed on a terminal, without a password', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
  });

  const query = async (sql: string, params: readonly unknown[] = []): Promise<readonly unknown[]> =>
    (await database.admin.query(sql, params)).rows;
  const accepts = (password: string): Promise<readonly unknown[]> =>
    query(
      `select verify_password($1, password_hash) as accepts, verify_password('admin123', password_hash) as known from users`,
      [password],
    );

  test('as a dry run shows none, since none is kept', async () => {
    const { screen, exitCode } = await onTerminal('aisec seed --dry-run', env);
    expect(exitCode).toBe(0);
    expect(screen).toContain('would be generated');
    expect(screen).not.toContain('admin password');
  });

  test('is refused when stderr goes into a file, though stdout is a terminal', async () => {
    const { screen, exitCode } = await onTerminal('aisec seed 2>&1 >/dev/tty | cat', env);
    expect(screen).toMatch(/error: [^]*AISEC_ADMIN_PASSWORD/);
    expect(screen).not.toContain('admin password (');
    expect(exitCode).toBe(0);
    expect(await query('select from users')).toEqual([]);
  });

  test('makes one, shows it in one line, and the admin logs in with it; a second run shows none', async () => {
    const { screen, exitCode } = await onTerminal('aisec seed', env);
    expect(exitCode).toBe(0);
    const passwords = shownPasswords(screen);
    expect(passwords).toHaveLength(1);
    const [password = ''] = passwords;
    expect(screen.split(password)).toHaveLength(2);
    expect(await accepts(password)).toEqual([{ accepts: true, known: false }]);

    const second = await onTerminal('aisec seed', env);
    expect(second.exitCode).toBe(0);
    expect(second.screen).toContain('nothing to do');
    expect(shownPasswords(second.screen)).toEqual([]);
    expect(await accepts(password)).toEqual([{ accepts: true, known: false }]);
  });

  test('shows it with --quiet and --json, too, and keeps it out of stdout', async () => {
    await query('delete from users');
    const file = path.join(await createEmbeddedDirectory(), 'out.json');
    const { screen } = await onTerminal(`aisec seed --quiet --json > '${file}'; cat '${file}'`, env);
    const [password = '', ...more] = shownPasswords(screen);
    expect(more).toEqual([]);
    expect(screen.split(password)).toHaveLength(2);
    expect(JSON.parse(screen.slice(screen.indexOf('{')))).toMatchObject({ rows: 1, adminPassword: 'generated' });
    expect(await accepts(password)).toEqual([{ accepts: true, known: false }]);
  });

  test('shows none when one was given', async () => {
    await query('delete from users');
    const { screen } = await onTerminal('aisec seed', { ...env, AISEC_ADMIN_PASSWORD: 'korrekt-Pferd-77' });
    expect(screen).toContain('1 row of the set initial written');
    expect(screen).not.toContain('korrekt');
    expect(shownPasswords(screen)).toEqual([]);
  });
});
