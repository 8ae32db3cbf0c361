import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { AS_BACKED_UP, CONTENTS, useEmbeddedBackupFixture } from '../support/embedded-backup-fixture.js';
import { queryEmbedded } from '../support/migrated-embedded.js';

// All else that is asked of it is in test/embedded.
describe('the embedded database', () => {
  const { file, newDirectory, aisec } = useEmbeddedBackupFixture();

  test('is backed up, verified and restored with every row', async () => {
    expect(await aisec(['backup', 'verify', file()])).toMatchObject({ exitCode: 0 });
    const directory = await newDirectory();
    expect(await aisec(['restore', file(), '--create', 'new'], { cwd: directory })).toMatchObject({ exitCode: 0 });
    expect(await queryEmbedded(path.join(directory, 'new'), CONTENTS)).toEqual(AS_BACKED_UP);
  });
});
