import { createHash } from 'node:crypto';

import { withRunLock } from '../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../adapters/postgres/session.js';
import { sqlFile } from '../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../base/identifier.js';

/** Another process may be making the template. */
const WAIT_MS = 10 * 60 * 1000;
const FORGOTTEN_AFTER_DAYS = 7;

/** A key of pg_advisory_lock, 63 bits. Such locks belong to the database of the session, and so does what is named here. */
export function lockKeyOf(name: string): string {
  return BigInt.asUintN(63, createHash('sha256').update(name).digest().readBigInt64BE()).toString();
}

interface MadeDatabase {
  readonly home: string;
  readonly name: string | null;
  readonly is_template: boolean | null;
  readonly used_days_ago: number | null;
}

export interface Surroundings {
  /** What the names begin with of all that is made from the database of this session. */
  readonly prefix: string;
  readonly made: readonly {
    readonly name: string;
    readonly isTemplate: boolean;
    readonly usedDaysAgo: number | null;
  }[];
}

export async function readSurroundings(session: Session): Promise<Surroundings> {
  const { rows } = await session.query<MadeDatabase>(sqlFile('testing/databases'));
  const made = rows.flatMap(({ name, is_template: isTemplate, used_days_ago: usedDaysAgo }) =>
    name === null ? [] : [{ name, isTemplate: isTemplate === true, usedDaysAgo }],
  );
  return { prefix: `aisec_testing_${rows[0]?.home ?? ''}_`, made };
}

async function markUsed(session: Session, name: string): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  await session.query(`comment on database ${quoteIdentifier(name)} is ${quoteLiteral(`used ${today}`)}`);
}

async function sweepTemplates(session: Session, { made }: Surroundings): Promise<void> {
  for (const { name, isTemplate, usedDaysAgo } of made) {
    if (!isTemplate || usedDaysAgo === null || usedDaysAgo <= FORGOTTEN_AFTER_DAYS) continue;
    await session.query(`alter database ${quoteIdentifier(name)} is_template false`);
    await session.query(`drop database if exists ${quoteIdentifier(name)}`);
  }
}

/**
 * The name of a finished template with the migrations of `key`, made if it is not there. Of many processes that start at
 * once one makes it and the others wait.
 */
export async function serverTemplate(
  session: Session,
  key: string,
  migrateInto: (database: string) => Promise<void>,
): Promise<string> {
  const before = await readSurroundings(session);
  const name = `${before.prefix}template_${key.slice(0, 16)}`;
  const found = before.made.find((each) => each.name === name && each.isTemplate);
  if (found !== undefined) {
    if (found.usedDaysAgo !== 0) await markUsed(session, name);
    return name;
  }
  return withRunLock(session, { waitMs: WAIT_MS, key: lockKeyOf(name) }, async () => {
    const now = await readSurroundings(session);
    if (now.made.some((each) => each.name === name && each.isTemplate)) return name;
    const quoted = quoteIdentifier(name);
    // What a process that was killed has left of it.
    await session.query(`drop database if exists ${quoted} with (force)`);
    await session.query(`create database ${quoted} template template0`);
    await migrateInto(name);
    await markUsed(session, name);
    // Last: this says that it is finished. No session may connect, for a template in use cannot be copied.
    await session.query(`alter database ${quoted} with is_template true allow_connections false`);
    await sweepTemplates(session, now);
    return name;
  });
}
