import { filesAt } from '../../../adapters/git/files-at.js';
import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { diffCatalogs } from '../../../adapters/catalog/diff.js';
import { renderDifference } from '../../../adapters/catalog/difference.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { endsRun, isAisecError } from '../../../base/errors.js';
import type { MigrationPlace } from '../../../config/migration-places.js';
import { parseMigrationFile, type MigrationFile } from '../files/migration-file.js';
import { isBundled, isRepeatable, labelOf } from '../files/source.js';
import { applyToScratch } from '../replay/replay.js';
import { lintFinding, type LintFinding } from './lint-finding.js';
import { branchesConflict } from './rules/failures/branches-conflict.js';

export interface Branches {
  /** What the other branch is called: `origin/main`. */
  readonly ref: string;
  /** What both have, in the order in which it runs. */
  readonly base: readonly MigrationFile[];
  readonly ours: readonly MigrationFile[];
  readonly theirs: readonly MigrationFile[];
}

/**
 * The files that only this working tree has, and those that only the other branch has. Of the team's own directories, or
 * of the bundled one where there is no other.
 *
 * @throws AisecError USAGE as `filesAt`.
 */
export async function branchesOf(
  all: readonly MigrationFile[],
  places: readonly MigrationPlace[],
  ref: string,
): Promise<Branches> {
  const own = places.filter(({ name }) => !isBundled({ source: name }));
  const ours = new Set<MigrationFile>();
  const theirs: MigrationFile[] = [];
  for (const { name: source, directory } of own.length > 0 ? own : places) {
    const there = await filesAt(directory, ref, (fileName) => fileName.endsWith('.sql'));
    const here = new Map(all.filter((file) => file.source === source).map((file) => [`${file.name}.sql`, file]));
    for (const [fileName, file] of here) if (!there.has(fileName)) ours.add(file);
    for (const [fileName, text] of there) {
      if (here.has(fileName)) continue;
      const name = fileName.replace(/\.sql$/, '');
      const { file } = parseMigrationFile(`${ref}:${fileName}`, name, text, source);
      if (file !== undefined && /^\d/.test(name)) theirs.push(file);
    }
  }
  return { ref, base: all.filter((file) => !ours.has(file)), ours: [...ours], theirs };
}

export interface Names {
  readonly schema: string;
  readonly extensionSchema: string;
}

/** Runs the callback with a session on a database in memory to which the files were applied. */
export type WithReplayOf = <Result>(
  files: readonly MigrationFile[],
  use: (session: Session) => Promise<Result>,
) => Promise<Result>;

type Outcome = { readonly catalog: CatalogSnapshot } | { readonly failure: string };

/** What the one branch after the other makes. */
async function outcomeOf(
  base: readonly MigrationFile[],
  parts: readonly (readonly MigrationFile[])[],
  names: Names,
  withReplayOf: WithReplayOf,
): Promise<Outcome> {
  return withReplayOf(base, async (session) => {
    const files = [...base];
    try {
      for (const part of parts) {
        files.push(...part);
        await applyToScratch(session, files, names, () => undefined);
      }
    } catch (error) {
      if (!isAisecError(error) || endsRun(error)) throw error;
      return { failure: error.message };
    }
    return { catalog: await readCatalog(session, { schema: names.schema, withoutHistory: true }) };
  });
}

const SHOWN = 5;

function listed(texts: readonly string[]): string {
  const more = texts.length - SHOWN;
  return `${texts.slice(0, SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function finding(file: MigrationFile, message: string): LintFinding {
  const region = { line: file.up.line, column: 1, endLine: file.up.line, endColumn: 1 };
  return lintFinding(branchesConflict, { object: labelOf(file), message, fix: null }, { file, region });
}

function numberOf({ name }: MigrationFile): string {
  return name.slice(0, 4);
}

/** One number can be used once only: the second branch to be merged is refused as a whole. */
function sameNumbers({ ours, theirs, ref }: Branches): readonly LintFinding[] {
  return ours
    .filter((file) => !isRepeatable(file))
    .flatMap((file) => {
      const twin = theirs.find((other) => other.source === file.source && numberOf(other) === numberOf(file));
      return twin === undefined
        ? []
        : [finding(file, `the number ${numberOf(file)} is that of ${twin.name} in ${ref}, too; rename this file`)];
    });
}

/**
 * Applies the files of both branches in both orders to what they have in common, and compares the catalogs. The order of
 * columns in a table is left out: it always differs.
 */
export async function branchFindings(
  branches: Branches,
  names: Names,
  withReplayOf: WithReplayOf,
): Promise<readonly LintFinding[]> {
  const { base, ours, theirs, ref } = branches;
  const [first] = ours;
  if (first === undefined || theirs.length === 0) return [];
  const numbers = sameNumbers(branches);
  const oursFirst = await outcomeOf(base, [ours, theirs], names, withReplayOf);
  const theirsFirst = await outcomeOf(base, [theirs, ours], names, withReplayOf);
  if ('failure' in oursFirst && 'failure' in theirsFirst)
    return [...numbers, finding(first, `it runs neither before nor after those of ${ref}: ${theirsFirst.failure}`)];
  if ('failure' in theirsFirst)
    return [...numbers, finding(first, `it does not run after those of ${ref}: ${theirsFirst.failure}`)];
  if ('failure' in oursFirst)
    return [...numbers, finding(first, `those of ${ref} do not run after it: ${oursFirst.failure}`)];
  const differences = diffCatalogs(theirsFirst.catalog, oursFirst.catalog).filter(
    ({ property }) => property !== 'columnOrder',
  );
  if (differences.length === 0) return numbers;
  const texts = differences.map(
    (difference) => `${difference.kind} ${difference.object}: ${renderDifference(difference)}`,
  );
  return [
    ...numbers,
    finding(first, `after those of ${ref} it makes another schema than before them: ${listed(texts)}`),
  ];
}
