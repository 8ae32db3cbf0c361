/**
 * Compares what is in the database with what users were told: messages by id, time, text and what they answer; their
 * keys; files; and that every reference leads somewhere. One snapshot, whatever is at work. Every difference is counted; all zero is the only good answer.
 *
 * @param {import('pg').Client} client
 * @param {import('./chat.js').Ledger} ledger
 */
export async function settle(client, ledger) {
  await client.query('begin transaction isolation level repeatable read read only');
  const { rows } = await client.query(
    'select id, created_at as "createdAt", content, parent_id as parent, conversation_id as conversation, is_archived as "isArchived" from all_messages',
  );
  const keys = await client.query('select id, created_at as "createdAt", parent_id as parent from message_keys');
  const files = await client.query('select id, message_id as message from files');
  const dangling = await client.query(`
    select
      (select count(*)::int from all_messages m
       where not exists (select from conversations c where c.id = m.conversation_id)) as conversations,
      (select count(*)::int from all_messages m
       where m.parent_id is not null
         and not exists (select from all_messages p where p.id = m.parent_id)) as parents,
      (select count(*)::int from files f
       where f.message_id is not null
         and not exists (select from all_messages p where p.id = f.message_id)) as files`);
  await client.query('commit');

  const found = new Map(rows.map((row) => [row.id, row]));
  const keyed = new Map(
    keys.rows.map((row) => [row.id, { createdAt: row.createdAt.toISOString(), parent: row.parent }]),
  );
  const wanted = [...ledger.messages];
  /** A deleted message leaves null in those that referred to it. @param {string | null | undefined} id */
  const still = (id) => (id !== null && id !== undefined && ledger.messages.has(id) ? id : null);
  const differing = wanted.filter(([id, written]) => {
    const row = found.get(id);
    return (
      row !== undefined &&
      (row.createdAt.toISOString() !== written.createdAt ||
        row.content !== written.content ||
        row.conversation !== written.conversation ||
        row.parent !== still(written.parent))
    );
  });
  return {
    live: rows.filter((row) => row.isArchived === false).length,
    archived: rows.filter((row) => row.isArchived === true).length,
    files: files.rows.length,
    faults: {
      'messages lost': wanted.filter(([id]) => !found.has(id)).length,
      'messages doubled': rows.length - found.size,
      'messages deleted and still there': [...found.keys()].filter((id) => !ledger.messages.has(id)).length,
      'messages differing in time, text, conversation or parent': differing.length,
      'keys missing, left over, of another time or parent':
        rows.filter((row) => {
          const key = keyed.get(row.id);
          return key === undefined || key.createdAt !== row.createdAt.toISOString() || key.parent !== row.parent;
        }).length + [...keyed.keys()].filter((id) => !found.has(id)).length,
      'conversation_id that leads nowhere': dangling.rows[0].conversations,
      'parent_id that leads nowhere': dangling.rows[0].parents,
      'files.message_id that leads nowhere': dangling.rows[0].files,
      'files lost or with another message':
        Math.abs(files.rows.length - ledger.files.size) +
        files.rows.filter((row) => row.message !== still(ledger.files.get(row.id))).length,
    },
  };
}
