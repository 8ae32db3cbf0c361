import { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { tableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { ofRole, type Ownership } from './ownership.js';
import { sqlName, tablesOf } from './read-ownership.js';
import type { Person } from './find-person.js';

/** The tables that a choice remembers its rows in; made before the transaction that fills it. */
export async function prepareChoice(session: Session, ownership: Ownership): Promise<ChosenRows> {
  return ChosenRows.of(
    session,
    tablesOf(ownership).map((key) => ({ key, name: sqlName(key) })),
  );
}

/**
 * Chooses the person's rows, and with `mentions` those of others that name the person in a reference to users. A table that
 * is left out (`schema table`) is chosen all the same where rows belong to the person by it.
 */
export async function choosePerson(
  choice: ChosenRows,
  ownership: Ownership,
  schema: string,
  person: Pick<Person, 'id'>,
  { mentions, leavesOut }: { readonly mentions: boolean; readonly leavesOut?: string },
): Promise<void> {
  const users = `${schema} users`;
  await choice.where(users, `id = ${quoteLiteral(person.id)}`);
  const own = ofRole(ownership, 'own');
  const isNeeded = (key: string): boolean =>
    key !== leavesOut || own.some(({ refersTo }) => tableKey(refersTo) === key);
  await choice.follow(own.filter((each) => isNeeded(tableKey(each))));
  if (!mentions) return;
  const toUsers = [...ofRole(ownership, 'clear'), ...ofRole(ownership, 'use')].filter(
    ({ refersTo }) => `${refersTo.schema} ${refersTo.table}` === users,
  );
  await choice.follow(toUsers);
}
