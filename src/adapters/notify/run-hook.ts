import { execFile } from 'node:child_process';

import type { Environment } from '../../config/settings.js';

export interface HookRun {
  /** Path of a program; it is run as it is, without a shell and without arguments. */
  readonly program: string;
  readonly environment: Environment;
  /** What the program gets, as variables. */
  readonly facts: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 60_000;
/** What a script needs to find its own programs; nothing that names a server, and no password. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/** Runs a program of the user's. Returns why it failed, without a full stop; undefined when it did. */
export function runHook({ program, environment, facts }: HookRun): Promise<string | undefined> {
  const own = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return new Promise((resolve) => {
    const options = {
      env: { ...Object.fromEntries(own), ...facts },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    } as const;
    execFile(program, [], options, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined);
      const [lastLine = ''] = stderr.trim().split('\n').slice(-1);
      const why = error.killed === true ? `it did not end within ${TIMEOUT_MS / 1000} s` : `${describe(error)}`;
      resolve(lastLine === '' ? why : `${why}: ${lastLine}`);
    });
  });
}

function describe(error: Error & { code?: string | number | null; signal?: NodeJS.Signals | null }): string {
  if (typeof error.code === 'number') return `exit code ${error.code}`;
  return error.signal ? `ended by ${error.signal}` : `it could not be started (${error.code ?? error.message})`;
}
