import { spawn } from 'node:child_process';

/** Runs a script with psql as a DBA would, stopping at the first error. Fails with what psql says. */
export async function runPsql(url: string, script: string): Promise<void> {
  const psql = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', '-'], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  psql.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  psql.stdin.on('error', () => undefined).end(script);
  const code = await new Promise<number | null>((resolve, reject) => {
    psql.on('error', reject).on('close', resolve);
  });
  if (code !== 0) throw new Error(said);
}
