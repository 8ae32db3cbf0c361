import type { Session } from '../../../src/adapters/postgres/session.js';

/** Runs the callback as role authenticated for a user (undefined: none is set) and takes everything back. */
export async function asUser<Result>(
  session: Session,
  user: string | undefined,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  await session.query('begin');
  try {
    await session.query('set local role authenticated');
    if (user !== undefined) await session.query("select set_config('app.current_user_id', $1, true)", [user]);
    return await use(session);
  } finally {
    await session.query('rollback');
  }
}

/** `ok`, or the SQLSTATE a statement fails with; its effect is taken back. */
export async function outcome(session: Session, sql: string): Promise<string> {
  await session.query('savepoint attempt');
  const state = await session.query(sql).then(
    () => 'ok',
    (error: unknown) => (error as { sqlState?: string }).sqlState ?? String(error),
  );
  await session.query('rollback to savepoint attempt');
  return state;
}

/** The first letters of the keys of the rows, sorted: whose rows they are. */
export async function owners(session: Session, relation: string, column = 'id'): Promise<string> {
  const { rows } = await session.query<{ owners: string | null }>(
    `select string_agg(distinct left(${column}::text, 1), '') as owners from ${relation}`,
  );
  return rows[0]?.owners ?? '';
}

/** One statement for each privilege on a table, and one that needs any of them. */
export function deniedStatements(table: string, column: string): readonly string[] {
  return [
    `select from ${table}`,
    `insert into ${table} default values`,
    `update ${table} set ${column} = default`,
    `delete from ${table}`,
    `truncate ${table}`,
    `lock table ${table} in access share mode`,
  ];
}
