import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** As git sets it: leave when all fits, keep colours, leave the text on the screen. */
const LESS = 'FRX';

/** Shows a text page by page, until the reader leaves. False: the program could not be started. */
export async function showInPager(
  text: string,
  [program = 'less', ...args]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  // Ctrl-C is the pager's own while it runs.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    const pager = spawn(program, args, {
      env: { ...environment, LESS: environment['LESS'] ?? LESS },
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    // Left before the end.
    pager.stdin.on('error', ignore);
    pager.stdin.end(text);
    await once(pager, 'close');
    return true;
  } catch {
    return false;
  } finally {
    process.off('SIGINT', ignore);
  }
}
