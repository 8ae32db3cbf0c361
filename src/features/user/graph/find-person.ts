import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly email: string;
}

/**
 * The user with this id, username or e-mail address; undefined when there is none.
 *
 * @throws AisecError USAGE when it names several.
 */
export async function findPerson(session: Session, given: string): Promise<Person | undefined> {
  const { rows } = await session.query<Person>(sqlFile('user/find'), [given.trim()]);
  if (rows.length > 1)
    throw new AisecError('USAGE', `"${given}" names ${rows.length} users`, {
      detail: `One has it as username, another as e-mail address: ${rows.map(({ id }) => id).join(', ')}.`,
      hint: 'Give the id.',
    });
  return rows[0];
}

/** @throws AisecError USAGE when there is none. */
export function requirePerson(person: Person | undefined, given: string): Person {
  if (person !== undefined) return person;
  throw new AisecError('USAGE', `there is no user "${given}"`, {
    hint: 'Give the id, the username or the e-mail address, as the table users has it.',
  });
}
