import { setMaxListeners } from 'node:events';
import { writeSync } from 'node:fs';

import { prerenderedHelp } from './prerendered-help.js';

/** Where bin/aisec.js comes in: prints help at once, and loads the command line for everything else. */
export async function start(argv: readonly string[]): Promise<number> {
  const help = prerenderedHelp(argv);
  if (help === undefined) {
    // Many schemas or requests at once listen for the one signal that ends the run; Node takes more than ten for a leak and warns.
    setMaxListeners(0);
    const { main } = await import('./main.js');
    const exitCode = await main(argv);
    // `aisec` alone gives up on a server after two seconds; a look-up of its name would keep the process for ten.
    // oxlint-disable-next-line unicorn/no-process-exit -- nothing is left to end
    if (argv.length === 0) process.stdout.write('', () => process.exit(exitCode));
    return exitCode;
  }
  try {
    // process.stdout would load the network or terminal modules first.
    writeSync(1, help);
  } catch (error) {
    // `aisec --help | head -1`: a reader that went away is no fault.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') process.stdout.write(help);
  }
  return 0;
}
