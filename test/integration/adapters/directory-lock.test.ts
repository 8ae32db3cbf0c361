import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { tryDirectoryLock, type LockHolder } from '../../../src/adapters/files/directory-lock.js';
import { currentProcess, isRunning } from '../../../src/adapters/files/process-identity.js';

const root = mkdtempSync(path.join(tmpdir(), 'aisec-test-lock-'));
const compiled = new URL('../../../dist/adapters/files/directory-lock.js', import.meta.url).href;
let directory = '';
let count = 0;
beforeEach(() => {
  count += 1;
  directory = path.join(root, String(count));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Runs a module in a process of its own and returns what it wrote. */
function runModule(text: string, onOutput: (output: string, kill: () => void) => void = () => undefined) {
  return new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      onOutput(output, () => child.kill('SIGKILL'));
    });
    child.once('error', reject).once('close', () => resolve(output));
  });
}

/** Has the lock so many times; two at once would meet in the directory `critical`. */
const contender = (times: number): string => `
  import { mkdirSync, rmdirSync } from 'node:fs';
  import { tryDirectoryLock } from ${JSON.stringify(compiled)};
  const critical = ${JSON.stringify(path.join(directory, '..', 'critical'))};
  let held = 0, overlaps = 0;
  while (held < ${times}) {
    const attempt = await tryDirectoryLock(${JSON.stringify(directory)}, 'test');
    if (!attempt.isHeld) { await new Promise((resolve) => setTimeout(resolve, Math.random() * 3)); continue; }
    held += 1;
    try { mkdirSync(critical); } catch { overlaps += 1; }
    if (held % 3 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    try { rmdirSync(critical); } catch { overlaps += 1; }
    attempt.release();
  }
  console.log(JSON.stringify({ held, overlaps }));`;

function holder(changes: Partial<LockHolder>): LockHolder {
  return { ...currentProcess(), command: 'aisec migrate up', since: '2026-01-01T00:00:00.000Z', ...changes };
}

function leave(name: string, content: LockHolder | string): string {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('the lock of a directory', () => {
  it('is had, names its holder, and leaves nothing behind', async () => {
    const first = await tryDirectoryLock(directory, 'aisec migrate up');
    if (!first.isHeld) throw new Error('not had');
    const second = await tryDirectoryLock(directory, 'aisec seed');
    expect(second).toMatchObject({
      isHeld: false,
      canBeJudged: true,
      holder: { pid: process.pid, command: 'aisec migrate up' },
    });
    first.release();
    expect(readdirSync(directory)).toEqual([]);
    const third = await tryDirectoryLock(directory, 'aisec seed');
    expect(third.isHeld).toBe(true);
  });

  it('never has two holders among 8 processes that each have it 20 times', async () => {
    const outputs = await Promise.all(Array.from({ length: 8 }, () => runModule(contender(20))));
    const results = outputs.map((output) => JSON.parse(output) as { held: number; overlaps: number });
    expect(results.reduce((sum, result) => sum + result.overlaps, 0)).toBe(0);
    expect(results.reduce((sum, result) => sum + result.held, 0)).toBe(8 * 20);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is taken over from a process that was killed while it held it', async () => {
    const text = `import { tryDirectoryLock } from ${JSON.stringify(compiled)};
      console.log((await tryDirectoryLock(${JSON.stringify(directory)}, 'doomed')).isHeld); setInterval(() => {}, 1000);`;
    await runModule(text, (_output, kill) => kill());
    expect(readdirSync(directory)).toHaveLength(2);
    const attempt = await tryDirectoryLock(directory, 'next');
    expect(attempt.isHeld).toBe(true);
    expect(readdirSync(directory)).toHaveLength(2);
    expect(readFileSync(path.join(directory, readdirSync(directory)[0]!), 'utf8')).toContain('"next"');
  });

  it('is taken over when its process id belongs to another process by now', async () => {
    leave('held-0000000001-x.json', holder({ pid: 1, startTime: '999999999999' }));
    expect((await tryDirectoryLock(directory, 'next')).isHeld).toBe(true);
  });

  it('is taken over after a restart of the machine', async () => {
    leave('held-0000000001-x.json', holder({ boot: 'another-boot' }));
    expect((await tryDirectoryLock(directory, 'next')).isHeld).toBe(true);
  });

  it('is not taken from a process of another host or container, and says which file to look at', async () => {
    const file = leave('held-0000000001-x.json', holder({ host: 'elsewhere', boot: 'another-boot' }));
    expect(await tryDirectoryLock(directory, 'next')).toMatchObject({
      isHeld: false,
      canBeJudged: false,
      file,
      holder: { host: 'elsewhere' },
    });
    leave('held-0000000001-x.json', holder({ namespace: 'pid:[1]' }));
    expect(await tryDirectoryLock(directory, 'next')).toMatchObject({ isHeld: false, canBeJudged: false });
    rmSync(file);
    expect((await tryDirectoryLock(directory, 'next')).isHeld).toBe(true);
  });

  it('is not kept by a file that a crash of the machine cut off', async () => {
    leave('held-0000000001-x.json', '');
    leave('claim-0000000002-x.json', '{"pid":');
    expect((await tryDirectoryLock(directory, 'next')).isHeld).toBe(true);
  });
});

describe('a process', () => {
  it('runs while it runs, whatever its host is called by now', () => {
    expect(isRunning(currentProcess())).toBe(true);
    expect(isRunning({ ...currentProcess(), host: `${hostname()}-renamed` })).toBe(true);
    expect(isRunning({ ...currentProcess(), startTime: '1' })).toBe(false);
    expect(isRunning({ ...currentProcess(), pid: 2 ** 22 + 1 })).toBe(false);
  });
});
