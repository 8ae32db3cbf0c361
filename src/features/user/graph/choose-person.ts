import { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { tableIn, tableKey, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { ofRole, type Ownership } from './ownership.js';
import { tablesOf } from './read-ownership.js';
import type { Person } from './find-person.js';

/** The tables that a choice remembers its rows in; made before the transaction that fills it. */
export async function prepareChoice(session: Session, ownership: Ownership): Promise<ChosenRows> {
  return ChosenRows.of(
    session,
    tablesOf(ownership).map((key) => ({ key, name: key })),
  );
}

/**
 * Chooses the person's rows, and with `mentions` those of others that name the person in a reference to users. A table that
 * is left out is chosen all the same where rows belong to the person by it.
 */
export async function choosePerson(
  choice: ChosenRows,
  ownership: Ownership,
  schema: string,
  person: Pick<Person, 'id'>,
  { mentions, leavesOut }: { readonly mentions: boolean; readonly leavesOut?: TableKey },
): Promise<void> {
  const users = tableIn(schema, 'users');
  await choice.where(users, `id = ${quoteLiteral(person.id)}`);
  const own = ofRole(ownership, 'own');
  const isNeeded = (key: TableKey): boolean =>
    key !== leavesOut || own.some(({ refersTo }) => tableKey(refersTo) === key);
  await choice.follow(own.filter((each) => isNeeded(tableKey(each))));
  if (!mentions) return;
  const toUsers = [...ofRole(ownership, 'clear'), ...ofRole(ownership, 'use')].filter(
    ({ refersTo }) => tableKey(refersTo) === users,
  );
  await choice.follow(toUsers);
}
