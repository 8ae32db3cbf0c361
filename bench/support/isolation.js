/** What a session may ask for; undefined leaves what the database has. */
const LEVELS = /** @type {const} */ ([undefined, 'read committed', 'repeatable read', 'serializable']);

/** @param {ReturnType<typeof import('./random.js').seededRandom>} random */
export function drawIsolation(random) {
  return random.pick(LEVELS);
}

/** The statement that gives later transactions of a session that level. @param {ReturnType<typeof drawIsolation>} level */
export function isolateSession(level) {
  return level === undefined
    ? 'reset default_transaction_isolation'
    : `set default_transaction_isolation to '${level}'`;
}

/** Sets the level of sessions to come. @param {import('pg').Client} client @param {string} database @param {ReturnType<typeof drawIsolation>} level */
export async function isolateDatabase(client, database, level) {
  await client.query(
    `alter database ${database} ${level === undefined ? 'reset default_transaction_isolation' : isolateSession(level)}`,
  );
}
