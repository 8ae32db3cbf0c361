import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { listObjects, readObject, removeObject, writeObject } from '../../src/adapters/object-store/objects.js';
import { withStore, type Store } from '../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../src/config/store-url.js';
import { manifestText, type BackupManifest } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { readBackupCopies } from '../../src/features/backup/store/remote-backups.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeWithStore, startObjectStore, type ObjectStoreServer } from '../support/object-store.js';
import { runInProcess } from '../support/run-in-process.js';
import { startCli, type CliResult } from '../support/run-cli.js';

const HOUR_MS = 3_600_000;

/** An answer of a store, as Amazon writes its errors. */
function answer(status: string, code: string): string {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>by the test</Message></Error>`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

describeWithStore('backups that are here and not in the store', () => {
  let server: ObjectStoreServer;
  let proxy: CuttingProxy;
  beforeAll(async () => {
    server = await startObjectStore('backups');
    proxy = await startCuttingProxy(server.endpoint);
  });
  afterAll(() => proxy.stop());

  function aisec(args: readonly string[], endpoint = server.endpoint): Promise<CliResult> {
    return runInProcess(['backup', ...args, '--endpoint', endpoint], { env: server.environment });
  }
  function inStore<Result>(directory: string, use: (store: Store) => Promise<Result>): Promise<Result> {
    const place = parseStoreUrl(`s3://backups/${directory}`, server.endpoint);
    return withStore(place, { environment: server.environment, signal: new AbortController().signal }, use);
  }
  const namesIn = (directory: string): Promise<readonly string[]> =>
    inStore(directory, async (store) => (await listObjects(store, 'app')).map(({ name }) => name));
  function put(directory: string, hoursOld: number, changes: Partial<BackupManifest> = {}): string {
    const createdAt = new Date(Date.now() - hoursOld * HOUR_MS);
    const file = backupFileName({ database: 'app', createdAt, format: 'custom', isEncrypted: false });
    const sha256 = createHash('sha256').update('dump').digest('hex');
    const manifest = backupManifest({ file, createdAt: createdAt.toISOString(), sha256, ...changes });
    writeFileSync(path.join(directory, file), 'dump');
    writeFileSync(path.join(directory, `${file}.json`), manifestText(manifest));
    return file;
  }

  test('are copied by upload, which leaves alone what is there, damaged or of another content, and check sees a stale store', async () => {
    const directory = await createEmbeddedDirectory();
    const damage = { at: new Date().toISOString(), reason: 'x' };
    const [young, old] = [put(directory, 1), put(directory, 50), put(directory, 60, { damage })];
    const at = ['--dir', directory, '--store', 's3://backups/up'];
    expectError(await aisec(['upload', ...at]), 2, 'no backup was given');
    expectError(await runInProcess(['backup', 'upload', '--all']), 2, 'no store was given');
    expect(await aisec(['upload', old, ...at])).toMatchObject({ exitCode: 0 });
    const stale = await aisec(['check', '--store', 's3://backups/up', '--json']);
    expect(stale).toMatchObject({ exitCode: 3 });
    const [finding] = JSON.parse(stale.stdout).findings;
    expect(finding).toMatchObject({ kind: 'old', file: `s3://backups/up/${old}` });
    expect(finding.fix).toBe(`aisec backup upload --all --store s3://backups/up --endpoint ${server.endpoint}`);
    const dry = await aisec(['upload', '--all', ...at, '--dry-run', '--json']);
    expect(JSON.parse(dry.stdout).backups.map((each: { state: string }) => each.state)).toEqual(['missing', 'there']);
    const runs = await Promise.all([1, 2].map(() => aisec(['upload', '--all', ...at, '--json'])));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(await namesIn('up')).toEqual([old, `${old}.json`, young, `${young}.json`]);
    expect(await aisec(['check', '--store', 's3://backups/up'])).toMatchObject({ exitCode: 0, stdout: '' });
    const noted = JSON.parse(readFileSync(path.join(directory, `${young}.json`), 'utf8'));
    expect(noted.offsite).toMatchObject([{ url: `s3://backups/up/${young}` }]);
    // The same name with other contents, as another server could have left it.
    await inStore('other', async (store) => {
      await writeObject(store, young, 'else');
    });
    const other = await aisec(['upload', young, '--dir', directory, '--store', 's3://backups/other', '--json']);
    expect(other).toMatchObject({ exitCode: 3 });
    expect(JSON.parse(other.stdout).backups).toMatchObject([{ state: 'refused' }]);
    expect(await inStore('other', (store) => readObject(store, young))).toBe('else');
  });

  test('one that lost a file here is refused at once, and the others are copied', async () => {
    const directory = await createEmbeddedDirectory();
    const globals = { file: 'app_lost.globals.sql', sizeBytes: 1, sha256: 'f'.repeat(64) };
    const [good, lost] = [put(directory, 2), put(directory, 1, { globals })];
    const run = await aisec([
      'upload',
      '--all',
      '--dir',
      directory,
      '--store',
      's3://backups/lost',
      '--retry',
      '1h',
      '--json',
    ]);
    expect(run).toMatchObject({ exitCode: 3 });
    expect(JSON.parse(run.stdout).backups).toMatchObject([
      { state: 'refused', reason: expect.stringContaining('app_lost.globals.sql" is missing.') },
      { state: 'copied' },
    ]);
    expect(await namesIn('lost')).toEqual([good, `${good}.json`]);
    expect(lost).not.toBe(good);
  });

  test('copies are pinned, pruned and verified by --store, and one that is pinned here stays there', async () => {
    const directory = await createEmbeddedDirectory();
    // Encrypted, as far as the manifest says: verify compares the checksum then.
    const encryption = { recipients: ['age1'] };
    const files = [1, 100, 200, 300, 400].map((hours) => put(directory, hours, { encryption }));
    const at = ['--store', 's3://backups/rule'];
    expect(await aisec(['upload', '--all', '--dir', directory, ...at])).toMatchObject({ exitCode: 0 });
    const pin = await aisec(['pin', files[2] ?? '', ...at, '--json']);
    expect(JSON.parse(pin.stdout)).toMatchObject({ file: `s3://backups/rule/${files[2]}`, isPinned: true });
    const verify = await aisec(['verify', ...at, '--json']).then(({ stdout }) => JSON.parse(stdout));
    expect(verify.results).toMatchObject([{ file: `s3://backups/rule/${files[0]}` }]);
    writeFileSync(
      path.join(directory, `${files[3]}.json`),
      readFileSync(path.join(directory, `${files[3]}.json`), 'utf8').replace('"isPinned": false', '"isPinned": true'),
    );
    const prune = ['prune', '--dir', directory, ...at, '--keep', '1d', '--keep-last', '1', '--json'];
    const dry = await aisec([...prune, '--dry-run']).then(({ stdout }) => JSON.parse(stdout));
    const run = await aisec(prune);
    expect(run).toMatchObject({ exitCode: 0 });
    const result = JSON.parse(run.stdout);
    expect(result.removed.map(({ file }: { file: string }) => path.basename(file))).toEqual([files[4], files[1]]);
    expect(dry.removed).toEqual(result.removed);
    expect((await namesIn('rule')).filter((name) => name.endsWith('.dump'))).toEqual(
      [files[0] ?? '', files[2] ?? '', files[3] ?? ''].toSorted(),
    );
  });

  test('a removal that was killed at any request is finished by the next run, and what another hand removed stays to be seen', async () => {
    const directory = await createEmbeddedDirectory();
    const globals = {
      file: 'app_old.globals.sql',
      sizeBytes: 4,
      sha256: createHash('sha256').update('role').digest('hex'),
    };
    writeFileSync(path.join(directory, globals.file), 'role');
    const [young, next, old] = [put(directory, 1), put(directory, 2), put(directory, 100, { globals })];
    const at = ['--store', 's3://backups/killed'];
    const prune = ['prune', '--dir', directory, ...at, '--keep', '1d', '--keep-last', '1', '--json'];
    for (const after of [0, 1, 2]) {
      expect(await aisec(['upload', '--all', '--dir', directory, ...at])).toMatchObject({ exitCode: 0 });
      const args = ['backup', ...prune, '--endpoint', proxy.url.replace(/\/$/, '')];
      const run = startCli(args, { env: server.environment });
      proxy.decide({ stopsAt: /^DELETE /, after, stop: () => run.child.kill('SIGKILL') });
      expect(await run.finished).toMatchObject({ signal: 'SIGKILL' });
      proxy.decide('pass');
      const left = [old, globals.file, `${old}.json`].slice(after).toSorted();
      const kept = [young, `${young}.json`, next, `${next}.json`];
      expect(await namesIn('killed')).toEqual([...kept, ...left].toSorted());
      const again = await aisec(prune);
      expect(again).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(again.stdout).removedPartials).toEqual(after === 0 ? [] : [`s3://backups/killed/${old}`]);
      expect(await namesIn('killed')).toEqual(kept.toSorted());
    }
    await inStore('killed', (store) => removeObject(store, next));
    expect(JSON.parse((await aisec(prune)).stdout)).toMatchObject({ removed: [], removedPartials: [] });
    const check = await aisec(['check', ...at, '--json']);
    expect(JSON.parse(check.stdout).findings).toMatchObject([
      { kind: 'incomplete', file: `s3://backups/killed/${next}` },
    ]);
  });

  test('manifests are read once, and again when they change; without the index or with a broken one nothing is lost', async () => {
    const directory = await createEmbeddedDirectory();
    const files = [1, 30, 60].map((hours) => put(directory, hours));
    expect(await aisec(['upload', '--all', '--dir', directory, '--store', 's3://backups/index'])).toMatchObject({
      exitCode: 0,
    });
    await inStore('index', async (store) => {
      const before = await readBackupCopies(store, 'app', { remember: true });
      const reads: string[] = [];
      store.client.middlewareStack.add(
        (next, { commandName }) =>
          (args) => {
            const { Key = '' } = args.input as { Key?: string };
            if (commandName === 'GetObjectCommand') reads.push(path.basename(Key));
            return next(args);
          },
        { step: 'initialize' },
      );
      const index = '.aisec-facts-app.json';
      expect(await readBackupCopies(store, 'app')).toEqual(before);
      expect(reads.splice(0)).toEqual([index]);
      await writeObject(
        store,
        `${files[1]}.json`,
        manifestText(backupManifest({ file: files[1] ?? '', isPinned: true })),
      );
      const changed = await readBackupCopies(store, 'app', { remember: true });
      expect(reads.splice(0)).toEqual([index, `${files[1]}.json`]);
      expect(changed.backups.filter(({ manifest }) => manifest.isPinned).map(({ manifest }) => manifest.file)).toEqual([
        files[1],
      ]);
      for (const broken of ['{', '[]', '{"kind":"aisec backup facts","formatVersion":1,"copies":[{"etag":"x"}]}']) {
        await writeObject(store, index, broken);
        expect(await readBackupCopies(store)).toEqual(changed);
      }
      await removeObject(store, index);
      reads.splice(0);
      expect(await readBackupCopies(store)).toEqual(changed);
      expect(reads).toHaveLength(4);
    });
  });

  test('a store that is too busy is asked again until it answers, a cut connection too, and what it refuses is said once', async () => {
    const directory = await createEmbeddedDirectory();
    const file = put(directory, 1);
    const upload = (to: string, ...more: readonly string[]): Promise<CliResult> =>
      aisec(
        ['upload', file, '--dir', directory, '--store', `s3://backups/${to}`, ...more],
        proxy.url.replace(/\/$/, ''),
      );
    // The SDK tries three times by itself.
    const slowDown = { answers: /^PUT .*\.dump/, with: answer('503 Slow Down', 'SlowDown'), times: 5 };
    proxy.decide(slowDown);
    expect(await upload('busy')).toMatchObject({ exitCode: 0 });
    expect(slowDown.times).toBe(0);
    expect(await namesIn('busy')).toEqual([file, `${file}.json`]);
    proxy.decide({ answers: /^PUT .*\.dump/, with: 'HTTP/1.1 200 OK\r\nConte', times: 2 });
    expect(await upload('cut')).toMatchObject({ exitCode: 0 });
    expect(await namesIn('cut')).toEqual([file, `${file}.json`]);
    proxy.decide({ answers: /^PUT /, with: answer('503 Slow Down', 'SlowDown'), times: 99 });
    expectError(await upload('never', '--retry', '0'), 4, 'could not upload', 'SlowDown: by the test.');
    expect(await namesIn('never')).toEqual([]);
    proxy.decide({ answers: /^PUT /, with: answer('403 Forbidden', 'RequestTimeTooSkewed'), times: 99 });
    expectError(await upload('skew'), 4, 'could not upload', 'the clock of this machine');
    // The refusal of a HEAD has no text.
    proxy.decide({
      answers: /^(HEAD|GET) \S*\.dump[? ]/,
      with: answer('403 Forbidden', 'RequestTimeTooSkewed'),
      times: 99,
    });
    expectError(await upload('skew'), 4, 'could not look at', 'the clock of this machine');
    proxy.decide({ answers: /^HEAD /, with: answer('403 Forbidden', 'AccessDenied'), times: 99 });
    expect(await upload('headless')).toMatchObject({ exitCode: 0 });
    proxy.decide({ answers: /^PUT /, with: 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>', times: 99 });
    const gateway = await upload('gateway', '--retry', '0');
    expectError(gateway, 4, 'could not upload');
    expect(gateway.stderr).not.toContain('Unknown');
    proxy.decide({ answers: /^PUT /, with: answer('400 Bad Request', 'ExpiredToken'), times: 99 });
    expectError(await upload('expired'), 4, 'could not upload', 'AWS_SESSION_TOKEN');
    for (const asked of [/^GET /, /^HEAD /]) {
      const page = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 13\r\n\r\n';
      proxy.decide({
        answers: asked,
        with: `${page}<html></html>`.slice(0, asked.source.includes('HEAD') ? page.length : undefined),
        times: 99,
      });
      expectError(await upload('portal', '--retry', '0'), 4, 'could not ', 'is not an S3-compatible store');
    }
    proxy.decide('pass');
    rmSync(path.join(directory, file));
    expectError(await upload('gone'), 2, 'there is no backup');
  });

  test('a store that takes connections and is silent is given up after AISEC_STORE_TIMEOUT, and whatever else after --timeout', async () => {
    const directory = await createEmbeddedDirectory();
    const file = put(directory, 1);
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(silent.address() as { port: number }).port}`;
    const ask = (args: readonly string[], timeout: string): Promise<CliResult> =>
      runInProcess(['backup', ...args, '--store', 's3://backups/silent', '--endpoint', endpoint], {
        env: { ...server.environment, AISEC_STORE_TIMEOUT: timeout },
      });
    const silence = 'It took the connection and was silent for 50 ms (AISEC_STORE_TIMEOUT)';
    expectError(await ask(['check'], '50ms'), 4, `could not list the backups: ${endpoint} does not answer`, silence);
    const upload = ['upload', file, '--dir', directory];
    expectError(await ask([...upload, '--retry', '0'], '50ms'), 4, 'could not list the backups', silence);
    expectError(await ask([...upload, '--timeout', '500ms'], '30s'), 1, 'not done within 500 ms');
    expectError(await ask(['check'], '5'), 2, 'AISEC_STORE_TIMEOUT has an invalid duration: "5"');
    silent.close();
  });
});
