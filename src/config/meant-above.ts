import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What a person below the project's directory means: its `.env`, or the embedded database that it has. The project ends
 * where its repository does.
 */
export function meantAbove(cwd: string): string | undefined {
  for (let above = dirname(cwd), below = cwd; above !== below; below = above, above = dirname(above)) {
    const found = ['.env', '.aisec/pgdata'].map((name) => join(above, name)).find((file) => existsSync(file));
    if (found !== undefined) return found;
    if (existsSync(join(above, '.git'))) return undefined;
  }
  return undefined;
}
