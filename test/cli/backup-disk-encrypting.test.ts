import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeOnSmallDisk, withSmallDisk } from '../support/small-disk.js';

const MEBIBYTE = 1024 * 1024;
/** The plain dump of the larger database fits, and the encrypted one beside it does not. */
const DISK_BYTES = 12 * MEBIBYTE;

describeOnSmallDisk('an encrypted backup on a disk', () => {
  describeOnServer('that becomes full', () => {
    const { database, newDirectory, backup, local, names } = useBackupFixture();

    test('while it is encrypted leaves nothing of it, and the last good backup stays, verified', async () => {
      const directory = await newDirectory();
      const recipient = await identityToRecipient(await generateX25519Identity());
      const take = (): ReturnType<typeof backup> =>
        backup(directory, ['--encrypt-to', recipient, '--keep', '0d', '--keep-last', '1', '--quiet']);
      await withSmallDisk(directory, DISK_BYTES, async () => {
        expect(await take()).toMatchObject({ exitCode: 0 });
        const before = names(directory);
        // Nothing that could be foreseen: eighty times the last backup, and nothing in it can be compressed.
        await database().admin.query(
          'create table grown as select gen_random_bytes(1024) as noise from generate_series(1, 8000)',
        );
        expectError(await take(), 1, `no space is left in "${directory}"`, 'nothing half-written is left');
        expect(names(directory)).toEqual(before);
        const list = JSON.parse((await local(['list', '--dir', directory, '--json'])).stdout);
        expect(list).toMatchObject({ backups: [{ state: 'verified', isEncrypted: true }], partials: [] });
        expect(await local(['verify', '--dir', directory])).toMatchObject({ exitCode: 0 });
      });
    });
  });
});
