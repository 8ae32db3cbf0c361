import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { COMMANDS } from '../../src/cli/commands.js';
import { runInProcess } from '../support/run-in-process.js';

const run = promisify(execFile);
const SECRET = 'postgres://app:s3cret@db.example.com/app';
const ODD_DIRECTORY = `/back ups/50%/$x/o'brien "daily"`;

interface ScheduledJob {
  readonly name: string;
  readonly args: readonly string[];
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'aisec-schedule-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function printed(...args: readonly string[]): Promise<string> {
  const result = await runInProcess(['schedule', ...args], { env: { DATABASE_URL: SECRET } });
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return result.stdout;
}

async function jobs(): Promise<readonly ScheduledJob[]> {
  return (JSON.parse(await printed('crontab', '--json')) as { jobs: readonly ScheduledJob[] }).jobs;
}

describe('aisec schedule', () => {
  test('every job is a command that exists, with options that it has', async () => {
    for (const { name, args } of await jobs()) {
      const words = args.slice(
        0,
        args.findIndex((arg) => arg.startsWith('--')),
      );
      const spec = COMMANDS.find((command) => command.name === words.join(' '));
      expect(spec, name).toBeDefined();
      const flags = args.filter((arg) => arg.startsWith('--') && arg !== '--quiet');
      const known = spec?.options.map((option) => option.flags.split(' ', 1)[0]) ?? [];
      expect(known, name).toEqual(expect.arrayContaining(flags));
    }
  });

  test('no two jobs begin in the same minute of a day', async () => {
    const fields = [...(await printed('crontab')).matchAll(/^(\d+) (\S+) \* \* /gmu)].map(
      ([, minute = '', hour = '']) => ({
        minute,
        hour,
      }),
    );
    expect(fields.length).toBeGreaterThan(5);
    const meets = fields.some((one, index) =>
      fields
        .slice(index + 1)
        .some(
          (other) =>
            one.minute === other.minute &&
            [one.hour, other.hour].some((hour) => hour === '*' || one.hour === other.hour),
        ),
    );
    expect(meets).toBe(false);
  });

  test('cron takes the crontab, and its shell hands over each argument as it was', async () => {
    const file = path.join(directory, 'crontab');
    writeFileSync(file, await printed('crontab', '--dir', ODD_DIRECTORY));
    const { stdout, stderr } = await run('crontab', ['-n', file]);
    expect(`${stdout}${stderr}`).toContain('successfully checked');
    const line =
      readFileSync(file, 'utf8')
        .split('\n')
        .find((text) => text.includes(' backup --dir')) ?? '';
    // What cron does before the shell: five fields go, and an escaped percent sign is one.
    const command = line.replace(/^(?:\S+ ){5}\s*/, '').replaceAll('\\%', '%');
    const { stdout: words } = await run('/bin/sh', ['-c', `printf '%s\\n' ${command}`]);
    expect(words.split('\n').slice(2, 5)).toEqual(['backup', '--dir', ODD_DIRECTORY]);
  });

  test('the commands of a crontab start without PATH and report a file of the URL that is missing', async () => {
    const text = await printed('crontab', '--only', 'doctor', '--database-url-file', '/nowhere/database-url');
    const command =
      text
        .trimEnd()
        .split('\n')
        .at(-1)
        ?.replace(/^(?:\S+ ){5}\s*/, '') ?? '';
    const env = { AISEC_DATABASE_URL_FILE: '/nowhere/database-url' };
    await expect(run('/bin/sh', ['-c', command], { env })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('/nowhere/database-url') as string,
    });
  });

  test('systemd takes every unit, and a second run writes none', async () => {
    const args = ['schedule', 'systemd', '--user', 'root', '--dir', ODD_DIRECTORY, '--out', directory];
    const before = readdirSync(directory);
    const dry = await runInProcess([...args, '--dry-run']);
    expect(dry.stderr).toContain('would write 16 units');
    expect(readdirSync(directory)).toEqual(before);
    expect((await runInProcess(args)).stderr).toContain('wrote 16 units');
    expect((await runInProcess(args)).stderr).toContain('nothing to do');
    const units = readdirSync(directory).filter((name) => /\.(service|timer)$/.test(name));
    expect(units).toHaveLength(16);
    const { stdout, stderr } = await run('systemd-analyze', [
      'verify',
      '--man=no',
      ...units.map((name) => path.join(directory, name)),
    ]);
    const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('aisec-'));
    expect(about).toEqual([]);
  });

  test('every CronJob is valid by the schema of Kubernetes', async () => {
    const text = await printed('kubernetes', '--image', 'registry.example.com/aisec:1.0.0', '--dir', ODD_DIRECTORY);
    const documents = parseAllDocuments(text).map(
      (document) => document.toJS() as ConstructorParameters<typeof CronJob>[0],
    );
    expect(documents).toHaveLength((await jobs()).length);
    for (const document of documents) new CronJob(document).validate();
    const backup = documents.find((document) => document?.metadata?.name === 'aisec-backup');
    const [container] = backup?.spec?.jobTemplate.spec?.template.spec?.containers ?? [];
    expect(container?.args).toEqual(['backup', '--dir', ODD_DIRECTORY, '--wait', '30m', '--quiet']);
  });

  test.each([['crontab'], ['systemd'], ['kubernetes', '--image', 'aisec:1']])(
    '%s never prints the URL of the database',
    async (...args) => {
      expect(await printed(...args)).not.toContain('s3cret');
      expect(await printed(...args, '--json')).not.toContain('s3cret');
    },
  );

  test.each([
    [['crontab', '--only', 'archiv'], 'unknown job "archiv"', 'Did you mean "archive"?'],
    [['crontab', '--dir', 'a\nb'], '--dir: invalid value', 'Give one line of text without control characters.'],
    [['kubernetes'], 'no image was given', '--image registry.example.com/aisec:1.0.0'],
    [['kubernetes', '--image', 'a:1', '--secret', 'My Secret'], 'invalid name "My Secret"', 'lower-case letters'],
    [['systemd', '--user', 'a b'], 'invalid user "a b"', 'Give the name of a user of this machine.'],
    [['systemd', '--out', '/nowhere'], 'there is no directory "/nowhere"', 'mkdir -p /nowhere'],
  ])('%j is refused', async (args, message, hint) => {
    const result = await runInProcess(['schedule', ...args]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain(hint);
  });
});
