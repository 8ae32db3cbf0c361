import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { ServerAccess } from '../access.js';
import type { Toc } from '../contents/toc.js';

/** Of a database, quoted; their catalog is shared by all databases of a server. */
async function subscriptionsOf(session: Session, database: string): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `select subname::text as name
     from pg_catalog.pg_subscription
     join pg_catalog.pg_database on pg_database.oid = subdbid
     where datname = $1
     order by subname`,
    [database],
  );
  return rows.map(({ name }) => quoteIdentifier(name));
}

/** They would keep their database from being dropped. The slot on the publisher is of the database that was backed up. */
export async function dropSubscriptions(access: ServerAccess, session: Session, database: string): Promise<void> {
  const names = await subscriptionsOf(session, database);
  if (names.length === 0) return;
  await access.withDatabase(database, async (inside) => {
    for (const name of names) {
      await inside.query(`alter subscription ${name} disable`);
      await inside.query(`alter subscription ${name} set (slot_name = none)`);
      await inside.query(`drop subscription ${name}`);
    }
  });
}

/** What is to be known of those that come back, one line each: pg_dump makes them without a connection. */
function restoredSubscriptions({ entries }: Toc): readonly string[] {
  return entries.flatMap(({ kind, description }) => {
    if (kind !== 'SUBSCRIPTION') return [];
    const name = quoteIdentifier(description.replace(/^- /, '').replace(/ [^ ]*$/, ''));
    return [
      `subscription ${name} comes back disabled, with the name of its slot on the publisher: enable it where no other database uses that slot any more (alter subscription ${name} enable)`,
    ];
  });
}

/** Of the database that is replaced, which continue to apply changes to it. */
async function keptSubscriptions(session: Session, live: string, before: string): Promise<readonly string[]> {
  return (await subscriptionsOf(session, live)).map(
    (name) =>
      `subscription ${name} continues in ${quoteIdentifier(before)}, which cannot be dropped before it: in there, alter subscription ${name} disable; alter subscription ${name} set (slot_name = none); drop subscription ${name};`,
  );
}

/** What a restore of a whole backup has to say of subscriptions. */
export async function subscriptionWarnings(
  session: Session,
  toc: Toc,
  { mode, target }: { readonly mode: 'create' | 'replace'; readonly target: string },
  before: string,
): Promise<readonly string[]> {
  const kept = mode === 'replace' ? await keptSubscriptions(session, target, before) : [];
  return [...restoredSubscriptions(toc), ...kept];
}
