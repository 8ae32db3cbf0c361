import { settingValue } from '../../../config/config.js';
import type { SeedListing } from '../../../features/seed/seed-directory.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';

function renderList({ sets }: Pick<SeedListing, 'sets'>, { table }: Renderer): string {
  if (sets.length === 0) return '';
  return table(sets, [
    { title: 'set', value: (row) => row.name },
    { title: 'files', value: (row) => row.files.join(', ') },
    { title: 'where', value: (row) => (row.where === 'bundled' ? 'bundled' : row.directory) },
  ]);
}

async function run(context: Context): Promise<void> {
  const { config, output } = context;
  const { listSeedSets } = await import('../../../features/seed/seed-directory.js');
  const isBundled = settingValue('seedsDir', config.flags, config.environment) === undefined;
  const listing = listSeedSets(config, isBundled);
  output.result({ sets: listing.sets }, renderList);
  for (const directory of listing.strange)
    output.warning(`"${directory}" is not a seed set: a set is named with lower-case letters, digits and hyphens`);
  if (listing.sets.length === 0) output.note(`no seed sets in ${config.seedsDir}`);
}

export const seedList = defineCommand<object>({
  name: 'seed list',
  summary: 'list the seed sets',
  description:
    'Lists the seed sets, the bundled ones or those of --seeds-dir, with their files. Needs no database. ' +
    'A set is a directory of files NN-name.sql, run in that order.',
  options: [],
  examples: [
    ['aisec seed list', 'List the bundled sets'],
    ['aisec seed list --seeds-dir ./seeds', 'List those of a directory of your own'],
  ],
  isPaged: true,
  run,
});
