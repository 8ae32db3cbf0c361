import { spawn } from 'node:child_process';
import path from 'node:path';

const program = path.join(import.meta.dirname, '..', '..', 'bin', 'aisec.js');

export interface TerminalResult {
  /** All that was written to the terminal, with its line ends. */
  readonly screen: string;
  readonly exitCode: number | null;
}

/**
 * Runs a shell line on a terminal of its own (`script` of util-linux); the word `aisec` in it stands for the CLI. `react` sees
 * what the screen has each time that it has more, and may type.
 */
export function onTerminal(
  line: string,
  env: Readonly<Record<string, string>>,
  react?: (screen: string, type: (keys: string) => void) => void,
): Promise<TerminalResult> {
  const command = line.replaceAll(/(?<![\w/'-])aisec(?= )/g, `'${process.execPath}' '${program}'`);
  return new Promise((resolve, reject) => {
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: [react === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let screen = '';
    child.stdin?.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        screen += text;
        react?.(screen, (keys) => void child.stdin?.write(keys));
      });
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ screen, exitCode }));
  });
}
