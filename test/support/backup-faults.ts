import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Random } from './chance.js';
import { STORE_FAULTS, type StoreFault } from './faulty-store.js';
import type { RunningCli } from './run-cli.js';

/** What breaks, and at which moment of a run is left to chance. */
export type Fault =
  | { readonly of: 'store'; readonly fault: StoreFault }
  | { readonly of: 'disk'; readonly fault: 'full' | 'EIO' }
  | {
      readonly of: 'program';
      readonly fault: 'program killed' | 'sessions ended' | 'aisec killed' | 'aisec terminated';
    };

export interface Operation {
  readonly name: string;
  readonly args: (file: string) => readonly string[];
  readonly usesStore: boolean;
}

export const KEPT = 2;
export const KEEP = ['--keep', '0d', '--keep-last', String(KEPT)];
export const STORE = ['--store', 's3://backups/app'];
const TRIED = [...STORE, '--retry', '3s'];

export const OPERATIONS: readonly Operation[] = [
  { name: 'backup', args: () => ['backup', ...KEEP], usesStore: false },
  { name: 'backup by two jobs', args: () => ['backup', '--jobs', '2', ...KEEP], usesStore: false },
  { name: 'backup to a store', args: () => ['backup', ...TRIED, ...KEEP], usesStore: true },
  { name: 'upload', args: () => ['backup', 'upload', '--all', '--read-back', ...TRIED], usesStore: true },
  { name: 'verify', args: (file) => ['backup', 'verify', file], usesStore: false },
  { name: 'verify the copy', args: () => ['backup', 'verify', ...STORE], usesStore: true },
  { name: 'verify deeply', args: (file) => ['backup', 'verify', '--deep', file], usesStore: false },
  { name: 'prune', args: () => ['backup', 'prune', ...KEEP], usesStore: false },
  { name: 'prune the copies', args: () => ['backup', 'prune', ...STORE, ...KEEP], usesStore: true },
  { name: 'restore a table', args: (file) => ['restore', file, '--table', 'shelf'], usesStore: false },
  { name: 'drill', args: (file) => ['backup', 'drill', file], usesStore: false },
  { name: 'drill the copy', args: () => ['backup', 'drill', ...STORE], usesStore: true },
];

export function pick<Each>(from: readonly Each[], random: Random): Each {
  return from[Math.floor(random() * from.length)] as Each;
}

export function faultFor({ usesStore }: Operation, random: Random): Fault {
  const local = ['disk', 'program'] as const;
  const of = pick(usesStore ? (['store', 'store', ...local] as const) : local, random);
  if (of === 'store') return { of, fault: pick(STORE_FAULTS, random) };
  if (of === 'disk') return { of, fault: pick(['full', 'EIO'] as const, random) };
  return { of, fault: pick(['program killed', 'sessions ended', 'aisec killed', 'aisec terminated'] as const, random) };
}

const preload = path.join(import.meta.dirname, 'fail-at-file-call.js');

/** The environment in which some call of aisec on a file of the directory fails; there is a file `mark` when one did. */
export function failingFiles(directory: string, mark: string, random: Random): Readonly<Record<string, string>> {
  const call = String(1 + Math.floor(random() * 60));
  return { NODE_OPTIONS: `--import=${preload}`, FAIL_BELOW: directory, FAIL_AT_CALL: call, FAIL_MARK: mark };
}

function childrenOf(pid: number): readonly number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  return existsSync(list) ? readFileSync(list, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
}

/** False when it has ended by itself since it was listed. */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** SIGKILL to the next program that the run has started. False when the run ended without one. */
export async function killProgram(run: RunningCli): Promise<boolean> {
  while (run.isRunning()) {
    const children = childrenOf(run.child.pid ?? 0);
    if (children.filter(killed).length > 0) return true;
    await sleep(5);
  }
  return false;
}
