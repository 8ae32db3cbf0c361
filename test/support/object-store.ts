import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, describe } from 'vitest';

import { needsStore } from './needs.js';

const program = path.join(import.meta.dirname, 'object-store.py');

export interface ObjectStoreServer {
  readonly endpoint: string;
  /** AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of its one user. */
  readonly environment: Readonly<Record<string, string>>;
  /** Changes one byte of the newest object of so many bytes, behind the store's back. */
  damage(sizeBytes: number): void;
  /** SIGKILL; it does not come back. */
  kill(): Promise<void>;
}

const servers = new Set<{ remove(): Promise<void> }>();

function isThere(): boolean {
  return (
    spawnSync(program, ['--check'], { stdio: 'ignore' }).status === 0 && spawnSync('age', ['--version']).status === 0
  );
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

/** Starts an empty store with these buckets, in two seconds; `NAME=BYTES` has a quota. It goes with this process. */
export async function startObjectStore(...buckets: readonly string[]): Promise<ObjectStoreServer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-store-'));
  const child = spawn(program, [directory, ...buckets], { stdio: ['pipe', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const remove = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  servers.add({ remove });
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (value === undefined) throw new Error(`the store did not start\n${log}`);
  return {
    endpoint: String(value),
    environment: { AWS_ACCESS_KEY_ID: 'test:backup', AWS_SECRET_ACCESS_KEY: 'only-for-tests' },
    damage(sizeBytes) {
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
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
