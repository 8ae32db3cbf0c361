import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { lookEvery } from './look-every.js';

const LOOK_EVERY_MS = 1000;

export interface ProgressOptions {
  readonly file: string;
  readonly jobs: number | undefined;
  readonly onProgress: (text: string) => void;
}

export interface DumpProgress {
  /** Takes each line of `pg_dump --verbose`. */
  readonly onLine: (line: string) => void;
  readonly stop: () => void;
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) bytes += (await stat(path.join(directory, name))).size;
  return bytes;
}

/** Reports which table pg_dump is at and how much it has written. */
export function reportProgress(tables: number, { file, jobs, onProgress }: ProgressOptions): DumpProgress {
  let [table, done] = ['', 0];
  const report = async (): Promise<void> => {
    const bytes = jobs === undefined ? (await stat(file)).size : await bytesIn(file);
    const doing = table === '' ? 'reading the catalog' : `dumping ${table} (${done} of ${tables} tables)`;
    onProgress(`${doing}, ${formatBytes(bytes)} written`);
  };
  const looks = lookEvery(LOOK_EVERY_MS, report);
  return {
    onLine: (line) => {
      const [, name] = /(?:^| )dumping contents of table "(.*)"$/.exec(line) ?? [];
      if (name === undefined) return;
      [table, done] = [name, done + 1];
      // A directory has as many files as there are tables: too many to look at for each of them.
      if (jobs === undefined) void report().catch(() => undefined);
    },
    stop: () => void looks.stop(),
  };
}
