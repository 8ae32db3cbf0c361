import { isReferring, type ChosenPart, type ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { displayName, tableIn, tableKey, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { countText } from '../../../base/count.js';
import type { Finding } from '../../../base/finding.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { Month } from '../../../base/month.js';
import type { TableColumns } from '../export/columns.js';
import { ofRole, type Ownership, type RoledReference } from '../graph/ownership.js';
import { monthsOf } from './months.js';

/** What becomes of a person's rows that others use: public assistants, skills, voices and their like. */
export type SharedRule = 'refuse' | 'keep' | { readonly handOverTo: string };

export interface ErasureChoices {
  readonly shared: SharedRule;
  /** Those whose rows stay, without what names the person. */
  readonly anonymise: readonly TableKey[];
}

export interface PlannedTable {
  /** With schema. */
  readonly table: string;
  readonly rows: number;
  readonly action: 'delete' | 'anonymise';
  /** The partitions that hold them; empty for a table that has none. */
  readonly partitions: readonly { readonly partition: string; readonly rows: number }[];
}

/** Rows of the person that rows of others refer to. */
export interface SharedRows {
  readonly table: string;
  readonly rows: number;
  /** `schema.table (column)` of those that use them. */
  readonly usedBy: string;
  readonly uses: number;
  /** `shared`: what others use as their own; `reference`: the others lose the reference; `dependent`: they cannot be without it. */
  readonly kind: 'shared' | 'reference' | 'dependent';
}

export interface ErasurePlan {
  readonly tables: readonly PlannedTable[];
  /** Of the person's messages, by their times: YYYY-MM. */
  readonly months: readonly Month[];
  readonly shared: readonly SharedRows[];
  readonly findings: readonly Finding[];
}

/** The reference by which a table's rows belong to a user directly. */
export function ownerReference(ownership: Ownership, schema: string, key: TableKey): RoledReference | undefined {
  return ofRole(ownership, 'own').find(
    (each) => tableKey(each) === key && tableKey(each.refersTo) === tableIn(schema, 'users'),
  );
}

/** Tables whose rows are meant for others, too: they have an owner and a column is_public. */
export function isShareable(columns: TableColumns, ownership: Ownership, schema: string, key: TableKey): boolean {
  const hasFlag = columns.get(key)?.some(({ name }) => name === 'is_public') === true;
  return hasFlag && ownerReference(ownership, schema, key) !== undefined;
}

/** As SQL: rows of others that refer to chosen rows by the reference; they are called `referring`. */
export function othersReferring(choice: ChosenRows, reference: RoledReference, part: ChosenPart): string {
  const [child, parent] = [tableKey(reference), tableKey(reference.refersTo)];
  return `from ${choice.joinPart(parent, part, 'referred')}
    join ${child} as referring on ${isReferring(reference)}
    where not ${choice.contains(child, 'referring')}`;
}

async function sharedRows(
  session: Session,
  choice: ChosenRows,
  ownership: Ownership,
  columns: TableColumns,
  schema: string,
): Promise<readonly SharedRows[]> {
  const found: SharedRows[] = [];
  for (const reference of [...ofRole(ownership, 'use'), ...ofRole(ownership, 'clear')]) {
    const parent = tableKey(reference.refersTo);
    const isSharedParent = parent !== tableIn(schema, 'users') && isShareable(columns, ownership, schema, parent);
    // What a reference that is set to null leaves behind is as its table declares it.
    if (reference.role === 'clear' && !isSharedParent) continue;
    let [rows, uses] = [0, 0];
    for (const part of await choice.parts(parent)) {
      const { rows: counted } = await session.query<{ rows: string; uses: string }>(
        `select pg_catalog.count(distinct referred.ctid) as rows, pg_catalog.count(*) as uses
         ${othersReferring(choice, reference, part)}`,
      );
      rows += Number(counted[0]?.rows);
      uses += Number(counted[0]?.uses);
    }
    if (uses === 0) continue;
    const kind = isSharedParent ? 'shared' : reference.isNullable || reference.isArray ? 'reference' : 'dependent';
    found.push({
      table: displayName(parent),
      rows,
      usedBy: `${displayName(tableKey(reference))} (${reference.columns.join(', ')})`,
      uses,
      kind,
    });
  }
  return found;
}

function finding(id: string, object: string, message: string, impact: string): Finding {
  return { id: `erase-${id}:${object}`, severity: 'critical', object, message, impact, fix: null };
}

function findingsOf(
  shared: readonly SharedRows[],
  choices: ErasureChoices,
  ownership: Ownership,
  schema: string,
): readonly Finding[] {
  return shared.flatMap(({ table, rows, usedBy, uses, kind }) => {
    const message = `${countText(rows, 'row')} of ${table} ${rows === 1 ? 'is' : 'are'} used by ${countText(uses, 'row')} of others: ${usedBy}`;
    if (kind === 'dependent')
      return [
        finding('dependent', table, message, 'the rows of others cannot be without it: change or delete them first'),
      ];
    if (kind !== 'shared') return [];
    const key = ownership.tables.find((each) => displayName(each) === table);
    const owner = key === undefined ? undefined : ownerReference(ownership, schema, key);
    if (choices.shared === 'refuse')
      return [
        finding(
          'shared',
          table,
          message,
          `give --shared hand-over=USER to give what others use to another user${owner?.isNullable === true ? ', or --shared keep to leave it without an owner' : ''}`,
        ),
      ];
    if (choices.shared === 'keep' && owner?.isNullable !== true)
      return [finding('shared', table, message, 'it cannot be without an owner: give --shared hand-over=USER')];
    return [];
  });
}

function anonymiseFindings(choices: ErasureChoices, ownership: Ownership): readonly Finding[] {
  return choices.anonymise.flatMap((key) => {
    const own = ofRole(ownership, 'own').filter((each) => tableKey(each) === key);
    if (own.length > 0 && own.every(({ isNullable }) => isNullable)) return [];
    return [
      finding(
        'anonymise',
        displayName(key),
        own.length === 0
          ? `${displayName(key)} has no rows that belong to a person`
          : `${displayName(key)} cannot be anonymised: ${own[0]?.columns.join(', ') ?? ''} may not be null`,
        'leave it out of --anonymise; its rows are deleted then',
      ),
    ];
  });
}

/** What an erasure would do, counted in the snapshot that the choice was filled in. */
export async function planErasure(
  session: Session,
  choice: ChosenRows,
  ownership: Ownership,
  columns: TableColumns,
  schema: string,
  choices: ErasureChoices,
): Promise<ErasurePlan> {
  const tables: PlannedTable[] = [];
  for (const key of ownership.tables) {
    const parts = await choice.parts(key);
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    if (rows === 0) continue;
    const partitions = parts.map(({ name, rows: count }) => ({ partition: name, rows: count }));
    tables.push({
      table: displayName(key),
      rows,
      action: choices.anonymise.includes(key) ? 'anonymise' : 'delete',
      partitions: partitions.length === 1 && partitions[0]?.partition === displayName(key) ? [] : partitions,
    });
  }
  const shared = await sharedRows(session, choice, ownership, columns, schema);
  return {
    tables,
    months: await monthsOf(session, choice, schema),
    shared,
    findings: [...findingsOf(shared, choices, ownership, schema), ...anonymiseFindings(choices, ownership)],
  };
}

/** As SQL: whether a row, called `alias`, is the person's, from what it refers to alone; whatever has changed since it was chosen. */
export function isOwned(ownership: Ownership, schema: string, id: string, key: TableKey, alias: string): string {
  if (key === tableIn(schema, 'users')) return `${alias}.id = ${quoteLiteral(id)}`;
  const position = ownership.tables.indexOf(key);
  const own = ofRole(ownership, 'own').filter(
    (each) => tableKey(each) === key && ownership.tables.indexOf(tableKey(each.refersTo)) < position,
  );
  if (own.length === 0) return 'false';
  const owner = `${alias}_`;
  return `(${own
    .map((each) => {
      const parent = tableKey(each.refersTo);
      return `exists (select from ${parent} as ${owner} where ${isReferring(each, alias, owner)}
        and ${isOwned(ownership, schema, id, parent, owner)})`;
    })
    .join(' or ')})`;
}
