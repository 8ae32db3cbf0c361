import { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
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

/** Chooses the person's rows, and with `mentions` those of others that name the person in a reference to users. */
export async function choosePerson(
  choice: ChosenRows,
  ownership: Ownership,
  schema: string,
  person: Pick<Person, 'id'>,
  { mentions }: { readonly mentions: boolean },
): Promise<void> {
  const users = `${schema} users`;
  await choice.where(users, `id = ${quoteLiteral(person.id)}`);
  await choice.follow(ofRole(ownership, 'own'));
  if (!mentions) return;
  const toUsers = [...ofRole(ownership, 'clear'), ...ofRole(ownership, 'use')].filter(
    ({ refersTo }) => `${refersTo.schema} ${refersTo.table}` === users,
  );
  await choice.follow(toUsers);
}
