import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { readBackupDirectory } from '../../src/features/backup/catalog/directory.js';
import { readManifest } from '../../src/features/backup/catalog/manifest.js';
import { chance, rounds } from '../support/chance.js';
import { AS_BACKED_UP, CONTENTS, namesIn, useEmbeddedBackupFixture } from '../support/embedded-backup-fixture.js';
import { queryEmbedded } from '../support/migrated-embedded.js';

/** Of each format; a run to its end takes seconds. */
const KILLS = rounds(2, 6);
const FORMATS = [
  { args: [], shareOfTime: 1 },
  // It works on a clone, so the engine starts once more.
  { args: ['--format', 'sql'], shareOfTime: 2 },
] as const;
/** Before there is anything to back up: the program and the engine start. */
const STARTING_MS = 1000;

function isWholeGzip(bytes: Buffer): boolean {
  return gunzipSync(bytes).length > 0;
}

const { dataDir, file, newDirectory, aisec, start } = useEmbeddedBackupFixture();

test(
  'kill -9 at any moment of aisec backup leaves the embedded database as it was and no half-written backup, and the next run goes on',
  { timeout: rounds(300_000, 900_000) },
  async () => {
    const directory = await newDirectory();
    const { durationMs } = await readManifest(file());
    let killed = 0;
    const random = chance();
    const wholeMs = FORMATS.map(({ shareOfTime }) => STARTING_MS + durationMs * shareOfTime);
    // Each may come too late where the first backup took longer than others do.
    for (let kill = 0; kill < KILLS || killed === 0; kill += 1)
      for (const [format, { args }] of FORMATS.entries()) {
        const run = start(['backup', ...args, '--dir', directory]);
        // One in each part of the time that a whole run takes.
        await sleep((((kill % KILLS) + random()) / KILLS) * (wholeMs[format] ?? 0));
        run.child.kill('SIGKILL');
        const ended = await run.finished;
        const { exitCode, stderr } = ended;
        // Never busy: what a killed run had locked is free.
        expect([0, null], stderr).toContain(exitCode);
        if (exitCode === null) killed += 1;
        else wholeMs[format] = ended.durationMs;
        const { backups, incomplete } = await readBackupDirectory(directory);
        expect(incomplete, stderr).toEqual([]);
        for (const { file: made } of backups) expect(readFileSync(made), stderr).toSatisfy(isWholeGzip);
      }

    expect(await queryEmbedded(dataDir(), CONTENTS)).toEqual(AS_BACKED_UP);
    expect(await aisec(['backup', '--dir', directory, '--quiet'])).toMatchObject({ exitCode: 0 });
    const { backups } = await readBackupDirectory(directory);
    expect(namesIn(directory)).toEqual(
      backups
        .flatMap(({ file: made, manifest: { globals } }) => {
          const name = path.basename(made);
          return [name, `${name}.json`, ...(globals === null ? [] : [globals.file])];
        })
        .toSorted(),
    );
    expect(await aisec(['backup', 'verify', '--dir', directory])).toMatchObject({ exitCode: 0 });
  },
);
