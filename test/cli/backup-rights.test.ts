import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import { listObjects, writeObject } from '../../src/adapters/object-store/objects.js';
import { withStore, type Store } from '../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../src/config/store-url.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeWithStore, startIamStore, type IamStoreServer } from '../support/object-store.js';
import { runInProcess } from '../support/run-in-process.js';
import type { CliResult } from '../support/run-cli.js';

interface Policy {
  readonly Version: string;
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** The one that docs/backups.md has, for s3://backups/prod. */
function documentedPolicy(): Policy {
  const text = readFileSync(path.join(import.meta.dirname, '../../docs/backups.md'), 'utf8');
  const [, policy = ''] = /```json\n(\{\n {2}"Version": "2012-10-17"[^]*?)```/.exec(text) ?? [];
  return JSON.parse(policy) as Policy;
}

function without(policy: Policy, right: string): Policy {
  const Statement = policy.Statement.map((each) => ({
    ...each,
    Action: [each.Action].flat().filter((action) => action !== right),
  }));
  return { ...policy, Statement: Statement.filter(({ Action }) => Action.length > 0) };
}

describeOnServer('aisec backup with a key that', () =>
  describeWithStore('has few rights', () => {
    const { backup, newDirectory, names } = useBackupFixture();
    let server: IamStoreServer;
    beforeAll(async () => {
      server = await startIamStore('backups');
    });
    const at = (): readonly string[] => ['--store', 's3://backups/prod', '--endpoint', server.endpoint];
    const ask = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(['backup', ...args, ...at(), '--quiet'], { env: server.environment });
    const copy = (directory: string, ...args: readonly string[]): Promise<CliResult> =>
      backup(directory, [...at(), '--quiet', ...args], { env: server.environment });
    function inStore<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
      const place = parseStoreUrl('s3://backups/prod', server.endpoint);
      const { signal } = new AbortController();
      return withStore(place, { environment: server.environment, signal }, use);
    }
    const namesThere = (): Promise<readonly string[]> =>
      inStore(async (store) => (await listObjects(store, '')).map(({ name }) => name));

    const rule = ['--keep', '0d', '--keep-last', '1'];

    test('has those of the documented policy needs no others', async () => {
      const directory = await newDirectory();
      await server.allow(documentedPolicy());
      for (const run of [await copy(directory, ...rule), await copy(directory, ...rule)])
        expect(run).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await ask('check')).toMatchObject({ exitCode: 0, stderr: '' });
      const [{ file }] = JSON.parse((await ask('list', '--json')).stdout).backups;
      expect(await ask('verify', file)).toMatchObject({ exitCode: 0 });
      expect(await ask('pin', path.basename(file))).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await ask('prune', '--dir', directory)).toMatchObject({ exitCode: 0 });
    });

    test('lacks rights that a copy can do without is warned, and lacks others is refused with a hint', async () => {
      const directory = await newDirectory();
      const policy = documentedPolicy();
      await server.allow(without(policy, 's3:ListBucketMultipartUploads'));
      const blind = await copy(directory, ...rule);
      // The same every night, so it is in no mail of cron.
      expect(blind).toMatchObject({ exitCode: 0, stderr: '' });
      const unlisted =
        'could not list unfinished uploads: the key has no right to do that in s3://backups/prod/ (AccessDenied: Access Denied): an upload that is stopped begins again, and its parts stay in the store\n';
      const place = [...at(), '--dir', directory];
      const asked = (...args: readonly string[]): Promise<CliResult> =>
        runInProcess(['backup', ...args, ...place], { env: server.environment });
      expect(await asked('check')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(unlisted) });
      const { stderr: dry } = await backup(directory, [...at(), '--dry-run'], { env: server.environment });
      expect(dry).toContain(`warning: ${unlisted}`);
      const { stderr: verbose } = await backup(directory, [...at(), '--verbose'], { env: server.environment });
      expect(verbose).toContain(unlisted);
      expect(verbose).not.toContain('warning: could not list');
      await server.allow(policy);
      const [copied = ''] = (names(directory) ?? []).filter((each) => each.endsWith('.dump'));
      await inStore(async ({ sdk, client }) => {
        const Key = `prod/${copied}`;
        await client.send(new sdk.CreateMultipartUploadCommand({ Bucket: 'backups', Key }));
      });
      await server.allow(without(without(policy, 's3:AbortMultipartUpload'), 's3:DeleteObject'));
      const keeping = await copy(directory, ...rule);
      expect(keeping).toMatchObject({ exitCode: 0 });
      expect(keeping.stderr).toMatch(
        /^warning: could not remove unfinished uploads: .*; an unfinished upload, if there is any, stays in the store\nwarning: the copy was made, but old ones could not be removed: .*has no right.*\n$/,
      );
      await server.allow(policy);
      expect((await copy(directory, ...rule)).stderr).toBe(
        `warning: removed an unfinished upload of ${copied} from s3://backups/prod/\n`,
      );
      const last = (names(directory) ?? []).findLast((each) => each.endsWith('.dump')) ?? '';
      for (const right of ['s3:GetObject', 's3:PutObject', 's3:ListBucket']) {
        await server.allow(without(policy, right));
        const run = await runInProcess(
          ['backup', 'upload', last, '--dir', directory, '--store', 's3://backups/prod/again', ...at().slice(2)],
          { env: server.environment },
        );
        expectError(run, 4, 'could not ', 'the key has no right to do that');
      }
    });

    test('stops before the manifest leaves a file that the next upload completes, and that goes when nothing is here to complete it', async () => {
      const directory = await newDirectory();
      const policy = documentedPolicy();
      const noManifest = { Effect: 'Deny', Action: 's3:PutObject', Resource: 'arn:aws:s3:::backups/prod/*.json' };
      const stopped = async (): Promise<string> => {
        const before = new Set(names(directory) ?? []);
        await server.allow({ ...policy, Statement: [...policy.Statement, noManifest] });
        expect(await copy(directory)).toMatchObject({ exitCode: 4 });
        await server.allow(policy);
        const [name = ''] = (names(directory) ?? []).filter((each) => each.endsWith('.dump') && !before.has(each));
        expect(await namesThere()).toEqual(expect.arrayContaining([name, name.replace('.dump', '.globals.sql')]));
        expect(await namesThere()).not.toContain(`${name}.json`);
        return name;
      };
      const continued = await stopped();
      const upload = await ask('upload', '--all', '--dir', directory, '--json');
      expect(JSON.parse(upload.stdout).backups).toMatchObject([{ state: 'copied' }]);
      expect(await namesThere()).toContain(`${continued}.json`);

      const lost = await stopped();
      const mine = lost.replace(/-[0-9a-f]{6}/, '-000000');
      await inStore((store) => writeObject(store, mine, 'put there by hand'));
      await Promise.all(
        (names(directory) ?? [])
          .filter((each) => each.startsWith(lost.replace('.dump', '')))
          .map((each) => rm(path.join(directory, each))),
      );
      expect((await copy(directory)).stderr).toBe('');
      expect(await namesThere()).toContain(lost);
      await server.age(3);
      const { stderr } = await copy(directory);
      expect(stderr.match(/removed what a stopped run had left of \S+/g)).toHaveLength(2);
      const left = await namesThere();
      expect(left.filter((each) => each.startsWith(lost.replace('.dump', '')))).toEqual([]);
      expect(left).toEqual(expect.arrayContaining([mine, continued, `${continued}.json`]));
    });
  }),
);
