import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

function* ancestors(directory: string): Generator<string> {
  for (let at = path.resolve(directory), above = ''; at !== above; above = at, at = path.dirname(at)) yield at;
}

/**
 * Whether a directory, which need not exist, is in a git work tree that does not ignore it. git is run only where there is one;
 * where it cannot say, no.
 */
export async function isCommittable(directory: string): Promise<boolean> {
  const root = [...ancestors(directory)].find((each) => existsSync(path.join(each, '.git')));
  if (root === undefined) return false;
  const args = ['-C', root, 'check-ignore', '--quiet', '--', path.join(directory, 'backup')];
  return new Promise((resolve) => {
    // 0: it is ignored; 128: this is no repository, or one of another user.
    execFile('git', args, { timeout: 5000 }, (error) => resolve(error?.code === 1));
  });
}
