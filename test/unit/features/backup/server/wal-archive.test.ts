import { expect, test } from 'vitest';

import { recognizeArchive } from '../../../../../src/features/backup/server/wal-archive.js';

const archivedAt = new Date('2026-11-29T09:00:00Z');
const none = { command: '', library: '', receivers: [], isFailing: false, archivedAt };

test.each([
  ['pgBackRest', { command: 'pgbackrest --stanza=app archive-push %p' }],
  ['pgBackRest', { command: '/usr/bin/pgbackrest --stanza=app archive-push %p' }],
  ['Barman', { command: 'barman-wal-archive backup app %p' }],
  ['Barman', { command: 'rsync -a %p barman@backup:/var/lib/barman/app/incoming/%f' }],
  ['Barman', { command: 'barman-cloud-wal-archive s3://backups app %p' }],
  ['Barman', { receivers: ['barman_receive_wal', 'standby2'] }],
  ['WAL-G', { command: 'envdir /etc/wal-g.d/env wal-g wal-push %p' }],
  ['WAL-G', { library: 'wal-g', command: '' }],
])('%s is recognized by %j', (program, state) => {
  expect(recognizeArchive({ ...none, ...state })).toMatchObject({ program });
});

test('another command, and a standby, are no program for recovery that is known', () => {
  expect(recognizeArchive({ ...none, command: 'cp %p /mnt/wal/%f', receivers: ['walreceiver'] })).toBeUndefined();
});

test('archiving, failing, not begun and streaming are different states', () => {
  const command = 'pgbackrest archive-push %p';
  expect(recognizeArchive({ ...none, command })).toMatchObject({ state: 'archiving', archivedAt });
  expect(recognizeArchive({ ...none, command, isFailing: true })).toMatchObject({ state: 'failing' });
  expect(recognizeArchive({ ...none, command, archivedAt: null })).toMatchObject({ state: 'nothing yet' });
  expect(recognizeArchive({ ...none, receivers: ['barman_receive_wal'] })).toMatchObject({ state: 'streaming' });
});
