import { join } from 'node:path';

import { seedFileNames, seedSetNames, shownPath, type SeedSettings } from './seed-directory.js';

export interface ListedSet {
  readonly name: string;
  readonly files: readonly string[];
  readonly where: 'bundled' | 'directory';
  readonly directory: string;
}

export interface SeedListing {
  readonly sets: readonly ListedSet[];
  /** Subdirectories whose name no set can have. */
  readonly strange: readonly string[];
}

/** The seed sets there are; the files are named, not read. @throws AisecError CONFIG_INVALID for an unreadable directory. */
export function listSeedSets(settings: SeedSettings, isBundled: boolean): SeedListing {
  const { sets, strange } = seedSetNames(settings.seedsDir);
  const shown = shownPath(settings.seedsDir, settings.cwd);
  return {
    sets: sets.map((name) => ({
      name,
      files: seedFileNames(join(settings.seedsDir, name)),
      where: isBundled ? 'bundled' : 'directory',
      directory: join(shown, name),
    })),
    strange: strange.map((name) => join(shown, name)),
  };
}
