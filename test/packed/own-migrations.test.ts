import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { migration } from '../support/migrations-folder.js';
import { installPacked } from '../support/packed-package.js';

const run = promisify(execFile);
const guide = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'own-migrations.md'), 'utf8');
/** The first block of the guide: what a team types, without comments. */
const commands = (/```sh\n([\s\S]*?)```/.exec(guide)?.[1] ?? '')
  .split('\n')
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');

describeOnServer('a team that installs the package', () => {
  let project: string;
  let database: ServerDatabase;

  beforeEach(async () => {
    project = mkdtempSync(path.join(tmpdir(), 'aisec-team-'));
    writeFileSync(path.join(project, 'package.json'), '{ "name": "team", "version": "1.0.0", "private": true }');
    await installPacked(project);
    database = await createServerDatabase();
  });

  afterEach(() => rmSync(project, { recursive: true }));

  const inProject = async (command: string): Promise<string> => {
    const program = path.join(project, 'node_modules', 'aisec', 'bin', 'aisec.js');
    const [name = '', ...args] = command.replace(/^npx aisec/, `node ${program}`).split(' ');
    const env = { PATH: process.env['PATH'] ?? '', HOME: project, DATABASE_URL: database.url };
    const { stdout, stderr } = await run(name, args, { cwd: project, env });
    return `${stdout}${stderr}`;
  };

  test('starts migrations of its own with the five commands of the guide', async () => {
    expect(commands).toHaveLength(5);
    const [set = '', create = '', edit = '', up = '', status = ''] = commands;
    await inProject(set);
    await inProject(create);
    const file = edit.replace('$EDITOR ', '');
    expect(readdirSync(path.join(project, path.dirname(file)))).toEqual([path.basename(file)]);
    writeFileSync(
      path.join(project, file),
      migration('create table invoices (id int primary key, user_id uuid references users);', 'drop table invoices;'),
    );
    expect(await inProject(up)).toContain('app/0001_add_invoices');
    expect(await inProject(status)).toMatch(/app\/0001_add_invoices\tapplied/);
    expect(await inProject('npx aisec migrate check')).toContain('applied');
    expect(await inProject('npx aisec migrate redo')).toContain('app/0001_add_invoices');
    await expect(inProject('npx aisec migrate new aisec/mine --dry-run')).rejects.toThrow('the installed package');
  });

  test('without a directory is told the way to one, and not one that ends in an error', async () => {
    const refused = await inProject('npx aisec migrate new add_invoices').catch(String);
    expect(refused).toContain('the bundled migrations belong to the installed package');
    const hint = /aisec migrate new NAME (--migrations-dir \S+)/.exec(refused)?.[1] ?? 'no hint';
    const made = await inProject(`npx aisec migrate new add_invoices ${hint}`);
    expect(made).toContain('0001_add_invoices.sql');
    writeFileSync(path.join(project, 'db/migrations/0001_add_invoices.sql'), migration('create table invoices ();'));
    expect(await inProject(`npx aisec migrate up ${hint}`)).toContain('app/0001_add_invoices');
  });
});
