/**
 * Compares what is in the database with what users were told: messages by id, time, text and what they answer; their
 * keys; files. Every difference is counted; all zero is the only good answer.
 *
 * @param {import('pg').Client} client
 * @param {import('./chat.js').Ledger} ledger
 */
export async function settle(client, ledger) {
  const { rows } = await client.query(
    'select id, created_at as "createdAt", content, parent_id as parent, is_archived as "isArchived" from all_messages',
  );
  const keys = await client.query('select id, created_at as "createdAt" from message_keys');
  const files = await client.query('select id, message_id as message from files');

  const found = new Map(rows.map((row) => [row.id, row]));
  const keyed = new Map(keys.rows.map((row) => [row.id, row.createdAt.toISOString()]));
  const wanted = [...ledger.messages];
  /** A deleted message leaves null in those that referred to it. @param {string | null | undefined} id */
  const still = (id) => (id !== null && id !== undefined && ledger.messages.has(id) ? id : null);
  const differing = wanted.filter(([id, written]) => {
    const row = found.get(id);
    return (
      row !== undefined &&
      (row.createdAt.toISOString() !== written.createdAt ||
        row.content !== written.content ||
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
      'messages differing in time, text or parent': differing.length,
      'keys missing, left over or of another time':
        rows.filter((row) => keyed.get(row.id) !== row.createdAt.toISOString()).length +
        [...keyed.keys()].filter((id) => !found.has(id)).length,
      'files lost or with another message':
        Math.abs(files.rows.length - ledger.files.size) +
        files.rows.filter((row) => row.message !== still(ledger.files.get(row.id))).length,
    },
  };
}
