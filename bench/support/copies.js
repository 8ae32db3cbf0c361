import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { measure } from '../measure.js';
import { dropDatabase, migratedDatabase, runAisecWell, urlOf } from './server.js';

const COPIES = 1000;
const ROUNDS = 4;
/** So that none of them is too old for `--keep 30d`. */
const APART_MS = 1_800_000;
const AT_ONCE = 16;
const BUCKET = 'backups';
const database = 'aisec_bench_copies';
const root = path.join(import.meta.dirname, '..', '..');

/** The store of the tests, until the callback ends. @template Result @param {(env: Record<string, string>, client: S3Client) => Promise<Result>} use */
async function withStore(use) {
  const child = spawn(path.join(root, 'test/support/services'), ['store', BUCKET], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const { value: said = '' } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    const [endpoint = '', accessKeyId = '', secretAccessKey = ''] = String(said).split(' ');
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ region: 'us-east-1', endpoint, credentials, forcePathStyle: true });
    const env = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    return await use(env, client);
  } finally {
    child.kill();
  }
}

/** Copies with the manifest of a real backup, every half hour one. @param {S3Client} client @param {string} prefix @param {string} manifest */
async function fill(client, prefix, manifest) {
  const body = 'dump';
  const real = JSON.parse(manifest);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const put = (/** @type {string} */ name, /** @type {string} */ text) =>
    client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${prefix}/${name}`, Body: text }));
  const putOne = async (/** @type {number} */ nth) => {
    const createdAt = new Date(Date.now() - (nth + 1) * APART_MS).toISOString();
    const stamp = createdAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
    const file = `${database}_${stamp}.dump`;
    await put(file, body);
    const said = { ...real, file, createdAt, sha256, sizeBytes: body.length, globals: null, offsite: [] };
    await put(`${file}.json`, JSON.stringify(said));
  };
  for (let nth = 0; nth < COPIES; nth += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, COPIES - nth) }, (_, more) => putOne(nth + more)));
}

/**
 * The quickest `backup --store` of a small database, to a place without copies and to one with 1,000, in turns; and the first
 * to that place, which has to read the manifests. @param {string} directory
 */
export async function measureCopies(directory) {
  await migratedDatabase(database);
  try {
    await runAisecWell(database, ['seed', 'demo', '--messages', '2000', '--yes']);
    const here = path.join(directory, 'copied');
    const env = { DATABASE_URL: urlOf(database) };
    await runAisecWell(database, ['backup', '--dir', here]);
    const manifest = readFileSync(
      path.join(here, readdirSync(here).find((name) => name.endsWith('.json')) ?? ''),
      'utf8',
    );
    return await withStore(async (store, client) => {
      await fill(client, 'many', manifest);
      const backup = (/** @type {string} */ prefix) =>
        measure(
          process.execPath,
          [path.join(root, 'bin/aisec.js'), 'backup', '--dir', here, '--quiet', '--store', `s3://${BUCKET}/${prefix}`],
          { ...env, ...store },
        );
      const first = backup('many');
      const rounds = Array.from({ length: ROUNDS }, (_, nth) => ({ none: backup(`none${nth}`), many: backup('many') }));
      const quickest = (/** @type {'none' | 'many'} */ which) =>
        rounds.map((round) => round[which]).toSorted((a, b) => a.wallMs - b.wallMs)[0] ?? first;
      return { none: quickest('none'), many: quickest('many'), first };
    });
  } finally {
    await dropDatabase(database);
  }
}
