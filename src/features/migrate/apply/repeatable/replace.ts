import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { namesOf, statementOf } from '../../../../adapters/sql-parser/nodes.js';
import { parseStatements } from '../../../../adapters/sql-parser/statements.js';
import { AisecError, isAisecError } from '../../../../base/errors.js';
import type { MigrationFile } from '../../files/migration-file.js';
import { isRepeatable, labelOf } from '../../files/source.js';
import { readProperties, restoreProperties, type Replaced } from './properties.js';

/** "Other objects depend on it", and what CREATE OR REPLACE cannot change: columns of a view, what a function returns. */
const IN_THE_WAY = new Set(['2BP01', '42P16', '42P13']);

/** Whether a repeatable migration may run when what it makes, and what depends on that, is dropped before. */
export function isInTheWay(file: MigrationFile, error: unknown): boolean {
  return isRepeatable(file) && isAisecError(error) && IN_THE_WAY.has(error.sqlState ?? '');
}

interface Created {
  readonly schema: string | undefined;
  readonly name: string;
  readonly isFunction: boolean;
}

/** The views and functions that a file creates. */
async function createdBy(file: MigrationFile): Promise<readonly Created[]> {
  const parsed = await parseStatements(file.up.sql);
  if ('error' in parsed) return [];
  return parsed.statements.flatMap((statement): readonly Created[] => {
    const relation = statementOf('ViewStmt', statement)?.view ?? statementOf('CreateTableAsStmt', statement)?.into?.rel;
    if (relation?.relname !== undefined)
      return [{ schema: relation.schemaname, name: relation.relname, isFunction: false }];
    const parts = namesOf(statementOf('CreateFunctionStmt', statement)?.funcname);
    const name = parts.at(-1);
    return name === undefined ? [] : [{ schema: parts.at(-2), name, isFunction: true }];
  });
}

interface Dependant {
  readonly depth: number;
  readonly kind: string | null;
  readonly identity: string | null;
  readonly name: string | null;
  readonly description: string;
}

async function dependantsOf(session: Session, created: readonly Created[]): Promise<readonly Dependant[]> {
  const { rows } = await session.query<Dependant>(sqlFile('migrate/dependants'), [
    created.map(({ schema }) => schema ?? null),
    created.map(({ name }) => name),
    created.map(({ isFunction }) => isFunction),
  ]);
  return rows;
}

interface Owned extends Replaced {
  readonly depth: number;
  readonly file: MigrationFile;
}

/** Each object with the repeatable file that makes it; undefined when one of them has none. */
async function withFiles(
  dependants: readonly Dependant[],
  file: MigrationFile,
  files: readonly MigrationFile[],
): Promise<readonly Owned[] | undefined> {
  const makers = new Map<string, MigrationFile>();
  for (const other of [...files.filter(isRepeatable), file])
    for (const { name, isFunction } of await createdBy(other)) makers.set(`${String(isFunction)} ${name}`, other);
  const owned: Owned[] = [];
  for (const { depth, kind, identity, name } of dependants) {
    if (kind === null || identity === null) continue;
    const isFunction = kind === 'function' || kind === 'procedure';
    const maker = depth === 0 ? file : makers.get(`${String(isFunction)} ${name ?? ''}`);
    if (maker === undefined) return undefined;
    owned.push({ depth, kind, identity, file: maker });
  }
  return owned;
}

function refuseLost(before: readonly Dependant[], after: readonly Dependant[], file: MigrationFile): void {
  const there = new Set(after.map(({ description }) => description));
  // What the file itself drops is meant to be lost; another function of one of its names is not.
  const dropsItself = /\bdrop\b/i.test(file.up.sql);
  const lost = before.filter(({ depth, description }) => (depth > 0 || !dropsItself) && !there.has(description));
  if (lost.length === 0) return;
  throw new AisecError(
    'MIGRATION_FAILED',
    `migration ${labelOf(file)} would lose ${lost.map(({ description }) => description).join(', ')}`,
    {
      detail: 'It has to be dropped with what this file makes again, and no repeatable migration makes it again.',
      hint: 'Move it to the repeatable file of what it is on. No changes were made.',
      position: { file: file.path, line: 1 },
    },
  );
}

/**
 * Runs the Up section of a repeatable migration whose objects cannot be replaced in place, in the transaction that is open:
 * those and what depends on them are dropped, the far ones first, and created again by their own files, the near ones first,
 * with their owners, privileges and comments.
 *
 * @param failure what running it alone came to.
 * @throws AisecError that failure, when an object depends on it that no repeatable migration makes.
 */
export async function replaceWithDependants(
  session: Session,
  file: MigrationFile,
  files: readonly MigrationFile[],
  failure: unknown,
): Promise<void> {
  const created = await createdBy(file);
  const before = await dependantsOf(session, created);
  const owned = await withFiles(before, file, files);
  if (owned === undefined || owned.length === 0) throw failure;
  const properties = await readProperties(session, owned);
  const drops = owned.toReversed().map(({ kind, identity }) => `drop ${kind} ${identity};`);
  await session.query(drops.join('\n'));
  await session.query(file.up.sql);
  const others = new Set(owned.map((object) => object.file).filter((other) => other !== file));
  for (const other of others) await session.query(other.up.sql);
  const grants = new Set(
    owned.filter((object) => /\bgrant\b/i.test(object.file.up.sql)).map(({ identity }) => identity),
  );
  await restoreProperties(session, owned, properties, { keepsNewGrants: ({ identity }) => grants.has(identity) });
  refuseLost(before, await dependantsOf(session, created), file);
}
