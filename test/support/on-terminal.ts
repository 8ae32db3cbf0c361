import { spawn } from 'node:child_process';
import path from 'node:path';

const program = path.join(import.meta.dirname, '..', '..', 'bin', 'aisec.js');

export interface TerminalResult {
  /** All that was written to the terminal, with its line ends. */
  readonly screen: string;
  readonly exitCode: number | null;
}

/** Runs a shell line on a terminal of its own (`script` of util-linux); the word `aisec` in it stands for the CLI. */
export function onTerminal(line: string, env: Readonly<Record<string, string>>): Promise<TerminalResult> {
  const command = line.replaceAll(/(?<![\w/'-])aisec(?= )/g, `'${process.execPath}' '${program}'`);
  return new Promise((resolve, reject) => {
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let screen = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (screen += text));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ screen, exitCode }));
  });
}
