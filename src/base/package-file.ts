import { fileURLToPath } from 'node:url';

/**
 * The absolute path of a file or directory of the package: `migrations`, `sql/session/blockers.sql`. Both homes of this
 * code, dist/base/ and dist/bundle/, lie two directories below the root (docs/adr/0003).
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
