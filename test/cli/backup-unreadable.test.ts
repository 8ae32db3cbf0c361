import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const DAY_MS = 86_400_000;
/** `nobody`, as far as the system has a name for it. */
const OTHER_USER = 65_534;

/** As a user who may not read what belongs to the one who runs the tests. */
async function asOtherUser(args: readonly string[]): Promise<CliResult> {
  const own = process.geteuid?.() ?? 0;
  if (own === 0) process.seteuid?.(OTHER_USER);
  try {
    return await runInProcess(args);
  } finally {
    if (own === 0) process.seteuid?.(own);
  }
}

describe.skipIf(process.platform === 'win32')('a backup that this user may not read', () => {
  async function directoryWith(unreadableDays: number, readableDays?: number): Promise<[string, string, string]> {
    const root = await createEmbeddedDirectory();
    chmodSync(root, 0o755);
    const directory = path.join(root, 'backups');
    mkdirSync(directory, { mode: 0o755 });
    const put = (daysOld: number, mode: number): string => {
      const createdAt = new Date(Date.now() - daysOld * DAY_MS);
      const file = backupFileName({ database: 'app', createdAt, format: 'custom', isEncrypted: false });
      writeFileSync(path.join(directory, file), 'dump', { mode });
      const text = manifestText(backupManifest({ file, createdAt: createdAt.toISOString() }));
      writeFileSync(path.join(directory, `${file}.json`), text, { mode });
      return path.join(directory, file);
    };
    const unreadable = put(unreadableDays, process.geteuid?.() === 0 ? 0o600 : 0);
    return [directory, unreadable, readableDays === undefined ? '' : put(readableDays, 0o644)];
  }
  const why = /User "[^"]+" may not read it: EACCES: permission denied/;

  test('is unreadable in list, check, prune and verify alike, with who it was that asked', async () => {
    const [directory, unreadable, readable] = await directoryWith(0, 40);
    const at = ['--dir', directory];
    const listed = await asOtherUser(['backup', 'list', ...at, '--json']);
    expect(JSON.parse(listed.stdout).backups).toMatchObject([
      { file: unreadable, state: 'unreadable', reason: expect.stringMatching(why) },
      { file: readable, state: 'verified' },
    ]);
    expect((await asOtherUser(['backup', 'list', ...at])).stdout).not.toContain('incomplete');
    const check = await asOtherUser(['backup', 'check', ...at, '--json']);
    const ofIt = JSON.parse(check.stdout).findings.find(({ file }: { file: string }) => file === unreadable);
    expect(ofIt).toMatchObject({ kind: 'unreadable', message: expect.stringMatching(why), fix: null });
    const prune = await asOtherUser(['backup', 'prune', ...at, '--dry-run']);
    expect(prune.stderr).toMatch(new RegExp(`${unreadable} is neither counted nor removed.*${why.source}`));
    const pruned = await asOtherUser(['backup', 'prune', ...at, '--dry-run', '--json']);
    expect(JSON.parse(pruned.stdout)).toMatchObject({
      removed: [],
      unreadable: [{ file: unreadable, reason: expect.stringMatching(why) }],
    });
    const verify = await asOtherUser(['backup', 'verify', ...at]);
    expect(verify.stderr).toMatch(new RegExp(`warning: ${unreadable} is not counted.*${why.source}`));
    const named = await asOtherUser(['backup', 'verify', unreadable, ...at]);
    expectError(named, 2, 'could not read ');
    expect(named.stderr).toMatch(why);
  });

  test('is not said to be none where it is the only one', async () => {
    const [directory, unreadable] = await directoryWith(0);
    const verify = await asOtherUser(['backup', 'verify', '--dir', directory]);
    expectError(verify, 2, 'there is no complete backup in ');
    expect(verify.stderr).toContain(`warning: ${unreadable} is not counted`);
  });
});
