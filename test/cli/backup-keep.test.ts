import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runInProcess } from '../support/run-in-process.js';

const DAY_MS = 86_400_000;

describeOnServer('backups that were made', () => {
  const { database, newDirectory, backup, local, names } = useBackupFixture();
  let made = '';
  beforeAll(async () => {
    const run = await backup(await newDirectory(), ['--json']);
    made = String(JSON.parse(run.stdout).file);
  });

  /** A copy of the backup that was made, with its company, in a directory of its own. */
  async function copied(): Promise<string> {
    const directory = await newDirectory();
    await mkdir(directory, { recursive: true });
    const file = path.join(directory, path.basename(made));
    for (const [from, to] of [
      [made, file],
      [`${made}.json`, `${file}.json`],
      [made.replace(/\.dump$/, '.globals.sql'), file.replace(/\.dump$/, '.globals.sql')],
    ] as const)
      copyFileSync(from, to);
    return file;
  }
  /** A backup of a size and an age that nothing was dumped for. */
  async function fabricated(directory: string, name: string, daysOld: number): Promise<string> {
    const createdAt = new Date(Date.now() - daysOld * DAY_MS);
    const file = backupFileName({ database: name, createdAt, format: 'custom', isEncrypted: false });
    const manifest = backupManifest({ file, database: name, createdAt: createdAt.toISOString() });
    await writeFile(path.join(directory, file), 'dump');
    await writeFile(path.join(directory, `${file}.json`), manifestText(manifest));
    return file;
  }
  const stateOf = async (file: string): Promise<string> => {
    const list = await local(['list', '--dir', path.dirname(file), '--json']);
    return String(JSON.parse(list.stdout).backups[0].state);
  };

  test('a whole one is good, and its manifest says when that was found', async () => {
    const file = await copied();
    const run = await local(['verify', file, '--json']);
    expect(run).toMatchObject({ exitCode: 0 });
    const [{ verifiedAt }] = JSON.parse(run.stdout).results;
    const manifest = JSON.parse(readFileSync(`${file}.json`, 'utf8'));
    expect(Date.parse(manifest.verifications[0].at)).toBeGreaterThan(Date.parse(verifiedAt) - 5000);
    const check = await local(['check', '--dir', path.dirname(file)]);
    expect(check).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('one flipped byte anywhere is found, counts for nothing from then on, and mending it is noticed', async () => {
    const file = await copied();
    const bytes = readFileSync(file);
    for (const share of [0, 0.02, 0.5, 0.999]) {
      const changed = Buffer.from(bytes);
      const place = Math.floor(bytes.length * share);
      changed[place] = (changed[place] ?? 0) ^ 1;
      writeFileSync(file, changed);
      const run = await local(['verify', path.basename(file), '--dir', path.dirname(file)]);
      expect(run, String(share)).toMatchObject({ exitCode: 3 });
      expect(run.stdout).toContain('Its SHA-256 is not the one its manifest has.');
    }
    expect(await stateOf(file)).toBe('damaged');
    const check = await local(['check', '--dir', path.dirname(file)]);
    expect(check).toMatchObject({ exitCode: 3 });
    expect(check.stdout).toContain('there is no verified backup of');
    writeFileSync(file, bytes);
    expect(await local(['verify', file])).toMatchObject({ exitCode: 0 });
    expect(await stateOf(file)).toBe('verified');
    writeFileSync(file.replace(/\.dump$/, '.globals.sql'), 'changed');
    expect(await local(['verify', file])).toMatchObject({ exitCode: 3 });
  });

  test('one that was cut off or lost its manifest is incomplete, and never removed', async () => {
    const file = await copied();
    truncateSync(file, 1000);
    const cut = await local(['verify', file]);
    expect(cut).toMatchObject({ exitCode: 3 });
    expect(cut.stdout).toContain('It has 1000 bytes and its manifest says');
    expect(await stateOf(file)).toBe('incomplete');
    renameSync(`${file}.json`, `${file}.away`);
    expectError(await local(['verify', file]), 3, `the backup ${file} has no manifest`);
    expect(await stateOf(file)).toBe('incomplete');
    const pruned = await local(['prune', '--dir', path.dirname(file), '--keep', '0d', '--keep-last', '1']);
    expect(pruned).toMatchObject({ exitCode: 0 });
    expect(existsSync(file)).toBe(true);
    expectError(
      await local(['verify', 'nothing.dump']),
      2,
      'there is no backup "nothing.dump"',
      'aisec backup list --dir /',
    );
    expectError(await local(['verify', '--dir', path.dirname(file)]), 2, 'there is no complete backup in');
  });

  test('of 1,000 old ones retention leaves the last, the pinned, those of the future and those of others', async () => {
    const directory = path.dirname(await copied());
    const { name } = database();
    const olds: string[] = [];
    for (let day = 40; day < 1040; day += 1) olds.push(await fabricated(directory, name, day));
    const future = await fabricated(directory, name, -3);
    const other = await fabricated(directory, `${name}_other`, 500);
    writeFileSync(path.join(directory, 'notes.txt'), 'mine');
    expect(await local(['pin', olds[700] ?? '', '--dir', directory])).toMatchObject({ exitCode: 0 });

    const dry = await backup(directory, ['--keep-last', '3', '--dry-run', '--json']);
    const planned = JSON.parse(dry.stdout).removed;
    expect(dry.stderr).toContain(`${future} has a timestamp in the future`);
    const run = await backup(directory, ['--keep-last', '3', '--json']);
    expect(run).toMatchObject({ exitCode: 0 });
    const { file, removed } = JSON.parse(run.stdout);
    expect(removed).toHaveLength(998);
    expect(planned).toEqual(removed);
    const dumps = (names(directory) ?? []).filter((each) => each.endsWith('.dump'));
    const kept = [olds[0], olds[700], future, other, path.basename(made), path.basename(file)];
    expect(dumps).toEqual(kept.filter((each) => each !== undefined).toSorted());
    expect(existsSync(path.join(directory, 'notes.txt'))).toBe(true);
    expect((names(directory) ?? []).filter((each) => each.endsWith('.json'))).toHaveLength(dumps.length);
  });

  test('with places the newest of each day, week and month stays, and every command says which is for what', async () => {
    const directory = await newDirectory();
    await mkdir(directory, { recursive: true });
    const { name } = database();
    const files: string[] = [];
    for (let day = 1; day <= 100; day += 1) files.push(await fabricated(directory, name, day));
    const keep = ['--keep', '2d,0w,3m', '--keep-last', '1'];
    const dry = await backup(directory, [...keep, '--dry-run', '--json']);
    const run = await backup(directory, [...keep, '--json']);
    expect(run).toMatchObject({ exitCode: 0 });
    const { file, kept, removed } = JSON.parse(run.stdout);
    expect(JSON.parse(dry.stdout).removed).toEqual(removed);
    expect(run.stderr).toMatch(/: kept: day \d{4}-\d\d-\d\d, month \d{4}-\d\d\n/);
    expect(kept[0]).toMatchObject({ file, reason: 'place', places: [{ unit: 'day' }, { unit: 'month' }] });
    expect(path.basename(kept[1].file)).toBe(files[0]);
    const months = kept.flatMap((each: { places: { unit: string; period: string }[] }) =>
      each.places.flatMap(({ unit, period }) => (unit === 'month' ? [period] : [])),
    );
    expect(new Set(months).size).toBe(3);
    const plan = await local(['prune', '--dir', directory, ...keep, '--dry-run']);
    // On the first of a month it is the newest of its day, too.
    expect(plan.stdout).toMatch(new RegExp(`kept: (day [-\\d]+, )?month ${months[2]}\n`));
    expect(plan.stderr).toContain('nothing to remove');
    const wrong = await local(['prune', '--dir', directory, '--keep', '7d,5d']);
    expectError(wrong, 2, '--keep: invalid list of places "7d,5d"', 'each once: 7d,5w,12m,3y.');
  });

  test('--deep restores it into a database of its own, and finds rows that are not as the manifest has them', async () => {
    const file = await copied();
    const env = { DATABASE_URL: database().url };
    const { admin } = database();
    const scratch = async (): Promise<unknown> =>
      (
        await admin.query("select datname from pg_database where datname like 'aisec_verify_' || $1 || '%'", [
          database().name,
        ])
      ).rows;
    expect(await runInProcess(['backup', 'verify', file, '--deep'], { env })).toMatchObject({ exitCode: 0 });
    const manifest = JSON.parse(readFileSync(`${file}.json`, 'utf8'));
    expect(manifest.verifications.map(({ level }: { level: string }) => level)).toEqual(['read', 'deep']);
    manifest.rows[0].rows += 1;
    writeFileSync(`${file}.json`, JSON.stringify(manifest));
    const bad = await runInProcess(['backup', 'verify', file, '--deep'], { env });
    expect(bad).toMatchObject({ exitCode: 3 });
    expect(bad.stdout).toMatch(/has \d+ rows, the backup had \d+/);
    expect(await scratch()).toEqual([]);
  });
});
