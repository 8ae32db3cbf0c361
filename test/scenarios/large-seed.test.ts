import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { startCli, type RunningCli } from '../support/run-cli.js';

/** The most memory the process ever had; proc_pid_status(5). */
async function peakMemoryMb(run: RunningCli): Promise<number> {
  let peakKb = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${run.child.pid}/status`, 'utf8');
      peakKb = Math.max(peakKb, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0));
    } catch {
      // Ended between two looks.
    }
  }, 20);
  const { exitCode, stderr } = await run.finished;
  clearInterval(timer);
  expect(exitCode, stderr).toBe(0);
  return peakKb / 1024;
}

describeOnServer('aisec seed demo', () => {
  test('needs hardly more memory for ten times the messages', async () => {
    const [few, many] = [
      await createServerDatabase({ migrated: true }),
      await createServerDatabase({ migrated: true }),
    ];
    const memory = (database: ServerDatabase, messages: number): Promise<number> =>
      peakMemoryMb(
        startCli(['seed', 'demo', '--messages', String(messages)], {
          env: { DATABASE_URL: database.url },
          timeoutMs: 280_000,
        }),
      );
    const [fewMb, manyMb] = [await memory(few, 20_000), await memory(many, 200_000)];
    expect(manyMb).toBeLessThan(300);
    // 180,000 messages are 50 MB as text and several times as much as objects.
    expect(manyMb - fewMb).toBeLessThan(40);
  }, 600_000);
});
