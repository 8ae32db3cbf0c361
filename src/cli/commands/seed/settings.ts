import type { SeedSettings } from '../../../features/seed/seed-directory.js';
import type { Context } from '../../context.js';

export function seedSettings({ config }: Context): SeedSettings {
  return { cwd: config.cwd, seedsDir: config.seedsDir };
}
