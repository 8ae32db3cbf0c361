import { withCode } from '../../../adapters/pgtools/classify.js';
import type { Session, SideConnection } from '../../../adapters/postgres/session.js';
import { isAisecError, type ErrorCode } from '../../../base/errors.js';

/** Where a program repeats what the server said, by a pattern, since a table's name stands in it. */
interface ServerText {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
}

const TABLE = 'pg_authid';
const SLEEP = 'pg_catalog.pg_sleep(10)';

/** The server's words for a state, whatever their language; undefined where the statement did not lead to it. */
async function provoke(side: SideConnection, sql: readonly string[], code: ErrorCode): Promise<readonly ServerText[]> {
  try {
    for (const statement of sql) await side.query(statement, []);
    return [];
  } catch (error) {
    if (!(error instanceof Error)) return [];
    const text = error.message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(TABLE, '.+');
    return [{ pattern: new RegExp(text), code }];
  }
}

async function onSides<Result>(
  session: Session,
  use: (one: SideConnection, other: SideConnection) => Promise<Result>,
): Promise<Result | undefined> {
  const sides: SideConnection[] = [];
  try {
    for (let number = 0; number < 2; number += 1) {
      const side = await session.openSide();
      if (side === undefined) return undefined;
      sides.push(side);
    }
    const [one, other] = sides;
    return one === undefined || other === undefined ? undefined : await use(one, other);
  } catch {
    // The server is away: what the program said stays as it is.
    return undefined;
  } finally {
    for (const side of sides) await side.close();
  }
}

async function textsOf(one: SideConnection, other: SideConnection): Promise<readonly ServerText[]> {
  const lock = `select pg_catalog.pg_advisory_lock(${(await one.query<{ pid: string }>('select pg_catalog.pg_backend_pid() as pid', []))[0]?.pid ?? 0}, 0)`;
  await one.query(lock, []);
  return [
    ...(await provoke(other, ["set lock_timeout = '1ms'", lock], 'LOCK_TIMEOUT')),
    ...(await provoke(other, ["set statement_timeout = '1ms'", `select ${SLEEP}`], 'LOCK_TIMEOUT')),
    ...(await provoke(one, [`delete from pg_catalog.${TABLE} where false`], 'PRIVILEGE_MISSING')),
    ...(await provoke(
      one,
      [`select pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()), ${SLEEP}`],
      'CONNECTION_LOST',
    )),
  ];
}

/**
 * Programs repeat what the server says without its SQLSTATE, in the language of the server's messages, which most roles cannot
 * choose. Where nothing is known of a failure, the server is brought to say the same on sessions of ours.
 */
export async function recognized(session: Session, error: unknown): Promise<unknown> {
  if (!isAisecError(error, 'PG_TOOL_FAILED')) return error;
  const texts = (await onSides(session, textsOf)) ?? [];
  const found = texts.find(({ pattern }) => pattern.test(error.detail ?? ''));
  return found === undefined ? error : withCode(error, found.code);
}
