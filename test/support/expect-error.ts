import { expect } from 'vitest';
import type { CliResult } from './run-cli.js';

/** Exit code, and what a person is told: the message in one line, and a hint. */
export function expectError(run: CliResult, exitCode: number, message: string, more = ''): void {
  expect(run.stderr).toContain(`error: ${message}`);
  expect(run.stderr).toContain(more);
  expect(run.stderr).toContain('\nhint: ');
  expect(run.stderr).not.toMatch(/\n\s+at |Warning/);
  expect(run).toMatchObject({ exitCode, stdout: '' });
}
