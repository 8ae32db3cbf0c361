import { randomBytes } from 'node:crypto';

import { afterAll } from 'vitest';

import { createServerDatabase, type ServerDatabase } from '../../support/database.js';

/** What the tables hold, as far as these tests read them. */
export interface Tables {
  users: { id: string; username: string };
  conversations: { id: string; user_id: string; title: string | null };
  assistants: { id: string; user_id: string; name: string };
  knowledge_base: { id: string; content: string; embedding: number[] | null };
}

export const userId = (number: number): string => `10000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export interface ServiceDatabase {
  readonly database: ServerDatabase;
  /** As a service logs in: a role without rights of its own that may take the role `authenticated`. */
  readonly url: string;
  readonly role: string;
}

/** A migrated database with `users` users, each with an assistant and two conversations, and a role for a service. */
export async function createServiceDatabase(users: number): Promise<ServiceDatabase> {
  const database = await createServerDatabase({ migrated: true });
  const role = `aisec_test_service_${randomBytes(4).toString('hex')}`;
  await database.admin.query(`create role ${role} login`);
  await database.admin.query(`grant authenticated to ${role} with inherit false, set true`);
  roles.push({ database, role });
  await database.admin.query(
    `insert into users (id, username, email, password_hash)
     select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n, n || '@x', 'h' from generate_series(1, $1::int) n`,
    [users],
  );
  await database.admin.query(`insert into assistants (id, user_id, name) select id, id, username from users`);
  await database.admin.query(
    `insert into conversations (user_id, title) select id, username || '/' || n from users, generate_series(1, 2) n`,
  );
  const url = new URL(database.url);
  url.username = role;
  return { database, url: url.href, role };
}

const roles: { database: ServerDatabase; role: string }[] = [];

afterAll(async () => {
  for (const { database, role } of roles) {
    await database.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = $1`, [role]);
    await database.admin.query(`drop owned by ${role}`);
    await database.admin.query(`drop role ${role}`);
  }
});
