import { randomBytes } from 'node:crypto';

import { AisecError } from '../../../base/errors.js';
import { quotedTable, quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { Lines } from '../contents/lines.js';
import { readDefinitions } from '../../../adapters/embedded/definitions.js';
import { copyOut, type EmbeddedEngine } from '../../../adapters/embedded/engine.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/**
 * The text of a database for psql, in parts that are divided by lines with a key of chance, so that no text in it can
 * be taken for such a line. Rows are in COPY's format, where a line never begins with a backslash command.
 */
export type SqlPart = 'pre-data' | 'rows' | 'sequences' | 'post-data';

const HEAD = '-- aisec SQL backup 1, key ';
const KEY = /^[0-9a-f]{32}$/;
/** What a server may have set otherwise and would read values by. */
const SETTINGS = 'SET datestyle = iso;\nSET intervalstyle = postgres;\nSET extra_float_digits = 1;\n';

export interface TableRow {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

interface SequenceRow {
  readonly schema: string;
  readonly sequence: string;
}

interface SequenceState {
  readonly last_value: string;
  readonly is_called: boolean;
}

/** `"schema"."table" ("column", …)`, without what PostgreSQL computes itself. */
export function copyTarget(table: TableRow): string {
  return `${quotedTable(table)} (${table.columns.map(quoteIdentifier).join(', ')})`;
}

export async function tablesOf(session: Session): Promise<readonly TableRow[]> {
  return (await session.query<TableRow>(sqlFile('backup/tables'))).rows;
}

export async function rowsOf(engine: EmbeddedEngine, table: TableRow): Promise<Buffer> {
  if (table.columns.length === 0) return Buffer.alloc(0);
  return copyOut(engine, copyTarget(table));
}

async function sequenceStatements(session: Session): Promise<string> {
  const { rows: sequences } = await session.query<SequenceRow>(
    'select schemaname::text as schema, sequencename::text as sequence from pg_catalog.pg_sequences order by 1, 2',
  );
  let text = '';
  for (const { schema, sequence } of sequences) {
    const name = `${quoteIdentifier(schema)}.${quoteIdentifier(sequence)}`;
    const { rows } = await session.query<SequenceState>(`select last_value::text, is_called from ${name}`);
    const [state] = rows;
    if (state !== undefined)
      text += `SELECT pg_catalog.setval(${quoteLiteral(name)}, ${state.last_value}, ${state.is_called});\n`;
  }
  return text;
}

/** @throws AisecError BACKUP_FORMAT. */
async function refuseLargeObjects(session: Session): Promise<void> {
  const { rows } = await session.query<{ count: string }>(
    'select pg_catalog.count(*) as count from pg_catalog.pg_largeobject_metadata',
  );
  if (Number(rows[0]?.count) === 0) return;
  throw new AisecError('BACKUP_FORMAT', 'the database cannot be written as SQL', {
    detail: `It has ${rows[0]?.count ?? ''} large objects, which the text would not have.`,
    hint: 'Back it up as a data directory, without --format sql.',
  });
}

/** Writes the database of an engine that is thrown away afterwards. @throws AisecError BACKUP_FORMAT. */
export async function* sqlText(
  session: Session,
  engine: EmbeddedEngine,
  onProgress: (text: string) => void,
): AsyncGenerator<string | Buffer> {
  const key = randomBytes(16).toString('hex');
  const part = (name: SqlPart): string => `\n-- ${key} ${name}\n`;
  yield `${HEAD}${key}\n\\restrict ${key}\n`;
  await refuseLargeObjects(session);
  const tables = await tablesOf(session);
  const sequences = await sequenceStatements(session);
  onProgress('writing the definitions');
  yield `${part('pre-data')}${await readDefinitions(engine, 'pre-data')}\n${SETTINGS}`;
  yield part('rows');
  for (const [index, table] of tables.entries()) {
    onProgress(`writing ${table.schema}.${table.table} (${index + 1} of ${tables.length} tables)`);
    const rows = await rowsOf(engine, table);
    if (rows.length > 0) {
      yield `COPY ${copyTarget(table)} FROM stdin;\n`;
      yield rows;
      yield '\\.\n';
    }
  }
  yield `${part('sequences')}${sequences}`;
  yield `${part('post-data')}${await readDefinitions(engine, 'post-data')}\n\\unrestrict ${key}\n`;
}

/** Runs such a text on a session, chunk by chunk; call `finish` at its end. */
export class SqlLoader {
  readonly #session: Session;
  readonly #lines = new Lines();
  #key = '';
  #part: SqlPart | undefined;
  #statements: string[] = [];
  #copy: { readonly target: string; rows: Buffer[] } | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  async add(chunk: Buffer): Promise<void> {
    for (const line of this.#lines.of(chunk)) {
      if (this.#copy === undefined) await this.#text(line.toString('utf8'));
      else if (line.length === 3 && line.toString('latin1') === '\\.\n') await this.#endCopy();
      else this.#copy.rows.push(Buffer.from(line));
    }
  }

  /** False when the text was incomplete or not one of ours. */
  async finish(): Promise<boolean> {
    await this.#run();
    return this.#part === 'post-data' && this.#copy === undefined;
  }

  async #text(line: string): Promise<void> {
    const [, key, part] = /^-- ([0-9a-f]{32}) ([a-z-]+)\n$/.exec(line) ?? [];
    if (this.#key === '') {
      const given = line.slice(HEAD.length, -1);
      this.#key = line.startsWith(HEAD) && KEY.test(given) ? given : 'none';
    } else if (key === this.#key) {
      await this.#run();
      this.#part = part as SqlPart;
    } else if (this.#part === 'rows') {
      const [, target] = /^COPY (.*) FROM stdin;\n$/.exec(line) ?? [];
      if (target !== undefined) this.#copy = { target, rows: [] };
    } else if (line !== `\\restrict ${this.#key}\n` && line !== `\\unrestrict ${this.#key}\n`)
      this.#statements.push(line);
  }

  async #endCopy(): Promise<void> {
    const { target, rows } = this.#copy ?? { target: '', rows: [] };
    this.#copy = undefined;
    await this.#session.copyIn(target, rows);
  }

  async #run(): Promise<void> {
    const text = this.#statements.splice(0).join('');
    if (this.#part !== undefined && text.trim() !== '') await this.#session.query(text);
  }
}
