import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { AisecError } from '../../base/errors.js';

const run = promisify(execFile);
const MOST_BYTES = 256 * 1024 * 1024;

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', directory, ...args], { maxBuffer: MOST_BYTES });
  return stdout;
}

function failure(error: unknown, directory: string, ref: string): AisecError {
  const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
  if (code === 'ENOENT')
    return new AisecError('USAGE', 'could not run git, which knows the files of the other branch', {
      hint: 'Install git, or leave out --against.',
      cause: error,
    });
  return new AisecError('USAGE', `could not read the files of "${ref}" in "${directory}"`, {
    detail: stderr.trim(),
    hint: 'Is the directory in a git repository, and the branch fetched? In CI: git fetch origin main',
    cause: error,
  });
}

/**
 * Reads files of a directory as they are in a commit of its git repository: those that `isWanted`, by name.
 *
 * @throws AisecError USAGE without git, outside of a repository, or for an unknown commit.
 */
export async function filesAt(
  directory: string,
  ref: string,
  isWanted: (fileName: string) => boolean,
): Promise<ReadonlyMap<string, string>> {
  try {
    const commit = (await git(directory, 'rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`)).trim();
    const names = (await git(directory, 'ls-tree', '--name-only', '-z', commit, './')).split('\0');
    const texts = new Map<string, string>();
    for (const name of names.map((path) => path.replace(/^\.\//, '')).filter((name) => name !== '' && isWanted(name)))
      texts.set(name, await git(directory, 'show', `${commit}:./${name}`));
    return texts;
  } catch (error) {
    throw failure(error, directory, ref);
  }
}
