import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'vitest';

import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

export interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly message: string;
  readonly fix: string | null;
}

/** Statements as a person pastes them: into psql. */
export async function paste(url: string, sql: string): Promise<string> {
  const child = promisify(execFile)('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-At', '-d', url, '-f', '-']);
  child.child.stdin?.end(`${sql}\n`);
  return (await child).stdout;
}

export function aisecOn(url: string, ...args: readonly string[]): Promise<CliResult> {
  return runInProcess(args, { env: { DATABASE_URL: url } });
}

/** What doctor finds with checks or areas, and thresholds of the test's own. */
export async function findingsOn(url: string, checks: string, thresholds = ''): Promise<readonly Finding[]> {
  const wishes = thresholds === '' ? [] : ['--thresholds', thresholds];
  const { stdout, stderr } = await aisecOn(url, 'doctor', '--json', '--only', checks, ...wishes);
  expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringMatching(/^\{/) });
  return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings;
}
