import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { createEmbeddedDirectory } from './database.js';
import { waitFor } from './wait-for.js';

const PROGRAMS = ['pg_dump', 'pg_dumpall', 'pg_restore'] as const;

export interface HeldProgram {
  /** For the run of aisec. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves when the program was called and waits. */
  readonly reached: () => Promise<void>;
  /** Lets it run, and every later call of it. */
  readonly release: () => void;
}

/** Programs of PostgreSQL, one of which waits before it does anything when it is called with an argument that begins so. */
export async function holdProgram(name: (typeof PROGRAMS)[number], argument: string): Promise<HeldProgram> {
  const directory = await createEmbeddedDirectory();
  const [reached, released] = [path.join(directory, 'reached'), path.join(directory, 'released')];
  const placeOf = (program: string): string =>
    execFileSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  for (const other of PROGRAMS.filter((each) => each !== name))
    symlinkSync(placeOf(other), path.join(directory, other));
  // Where the directory is gone the test is over.
  const script = `#!/bin/sh
case " $* " in *' ${argument}'*)
  : >'${reached}'
  while [ ! -e '${released}' ]; do [ -e '${reached}' ] || exit 1; sleep 0.05; done ;;
esac
exec '${placeOf(name)}' "$@"
`;
  writeFileSync(path.join(directory, name), script, { mode: 0o755 });
  return {
    environment: { AISEC_PG_BIN: directory },
    reached: () => waitFor(() => Promise.resolve(existsSync(reached))),
    release: () => writeFileSync(released, ''),
  };
}
