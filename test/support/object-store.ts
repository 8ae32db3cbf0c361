import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, describe } from 'vitest';

import { needsStore } from './needs.js';

const program = path.join(import.meta.dirname, 'object-store.py');
const services = path.join(import.meta.dirname, 'services');

export interface ObjectStoreServer {
  readonly endpoint: string;
  /** AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of its one user. */
  readonly environment: Readonly<Record<string, string>>;
  /** Changes one byte of the newest object of so many bytes, behind the store's back. */
  damage(sizeBytes: number): Promise<void>;
  /** SIGKILL; it does not come back. */
  kill(): Promise<void>;
}

/** One that knows rights. */
export interface IamStoreServer extends ObjectStoreServer {
  /** What its user may do from now on, as JSON of IAM. */
  allow(policy: object): Promise<void>;
  /** Makes all objects older. */
  age(days: number): Promise<void>;
  /** From now on a PUT with If-Match is refused where the object has another ETag. */
  heedConditions(): Promise<void>;
}

const servers = new Set<{ remove(): Promise<void> }>();

function isThere(): boolean {
  const checks = [
    [program, '--check'],
    [services, 'store', '--check'],
    ['age', '--version'],
  ] as const;
  return checks.every(([command, ...args]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0);
}

/** Like `describe`, for what needs a store or age. Skipped, and counted as such, where they are not; fails so in CI. */
export function describeWithStore(title: string, tests: () => void): void {
  describe.skipIf(!process.env['CI'] && !isThere())(`${title} ${needsStore}`, () => {
    afterAll(async () => {
      await Promise.all([...servers].map((server) => server.remove()));
    });
    tests();
  });
}

interface StoreProcess {
  /** What it said of itself. */
  readonly said: string;
  readonly kill: () => Promise<void>;
  /** @throws when it does not answer "ok". */
  readonly tell: (command: string) => Promise<void>;
}

/** A program that says where it serves, and then takes commands. It goes with this process. */
async function startProgram(command: string, args: readonly string[], directory?: string): Promise<StoreProcess> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  servers.add({
    async remove() {
      await kill();
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: said } = await lines.next();
  if (said === undefined) throw new Error(`the store did not start\n${log}`);
  return {
    said: String(said),
    kill,
    async tell(command) {
      child.stdin.write(`${command}\n`);
      const { value: answer } = await lines.next();
      if (answer !== 'ok') throw new Error(`the store did not obey "${command}": ${answer}\n${log}`);
    },
  };
}

/** Starts an empty store of OpenStack Swift with these buckets, in two seconds; `NAME=BYTES` has a quota. */
export async function startObjectStore(...buckets: readonly string[]): Promise<ObjectStoreServer> {
  // Swift keeps extended attributes, which a file system in memory has since Linux 6.6 only.
  const directory = mkdtempSync('/var/tmp/aisec-test-store-');
  const { said, kill } = await startProgram(program, [directory, ...buckets], directory);
  return {
    endpoint: said,
    environment: { AWS_ACCESS_KEY_ID: 'test:backup', AWS_SECRET_ACCESS_KEY: 'only-for-tests' },
    async damage(sizeBytes) {
      const objects = path.join(directory, 'disk', 'objects');
      const file = readdirSync(objects, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.data'))
        .map((name) => path.join(objects, name))
        .toSorted((a, b) => path.basename(b).localeCompare(path.basename(a)))
        .find((each) => readFileSync(each).length === sizeBytes);
      if (file === undefined) throw new Error(`the store has no object of ${sizeBytes} bytes`);
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes.readUInt8(sizeBytes >> 1) ^ 1, sizeBytes >> 1);
      // Written in place: Swift keeps what it knows of an object in attributes of the file.
      writeFileSync(file, bytes, { flag: 'r+' });
    },
    kill,
  };
}

/** Starts an empty store of moto with these buckets, in two seconds; its user may do everything at first. */
export async function startIamStore(...buckets: readonly string[]): Promise<IamStoreServer> {
  const { said, kill, tell } = await startProgram(services, ['store', ...buckets]);
  const [endpoint = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = ''] = said.split(' ');
  return {
    endpoint,
    environment: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
    damage: (sizeBytes) => tell(`damage ${sizeBytes}`),
    age: (days) => tell(`age ${days}`),
    heedConditions: () => tell('heed 1'),
    allow: (policy) => tell(`policy ${JSON.stringify(policy)}`),
    kill,
  };
}
