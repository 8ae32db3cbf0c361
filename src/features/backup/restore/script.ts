import type { Session } from '../../../adapters/postgres/session.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import type { ServerAccess } from '../access.js';
import { scriptStatements } from '../contents/archive.js';
import { Lines } from '../contents/lines.js';
import { statementsFor } from '../contents/statements-for.js';
import type { TocEntry } from '../contents/toc.js';
import { leavingOut, type LeftOutKinds } from './left-out-kinds.js';
import { withList } from './entry-list.js';

/** Some of an archive, as SQL. */
export interface ArchivePart extends LeftOutKinds {
  readonly archive: string;
  /** Major version of the server that it is for. */
  readonly serverMajor: number;
  readonly entries: readonly TocEntry[];
}

/** One COPY keeps its rows in memory until they are sent. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** The session has its own; an older server does not know the last one. */
const OWN_SETTINGS: readonly string[] = [
  'lock_timeout',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
];

function isOwnSetting({ node, tree }: Statement): boolean {
  return node === 'VariableSetStmt' && OWN_SETTINGS.includes(String(tree['name']));
}

/** Of an archive of another pg_dump, which writes in the database's own encoding where nothing else is asked for. */
function isOtherEncoding({ node, tree }: Statement): boolean {
  return node === 'VariableSetStmt' && tree['name'] === 'client_encoding' && !JSON.stringify(tree).includes('"UTF8"');
}

function refuseOtherEncoding(archive: string, script: string, statements: readonly Statement[]): void {
  // What is ASCII is the same in each of them, and the server reads the rows itself.
  if (!/[^\0-\x7F]/.test(script) || !statements.some(isOtherEncoding)) return;
  throw new AisecError('BACKUP_FORMAT', `the definitions in ${archive} are not in UTF-8`, {
    detail:
      'The archive is of a pg_dump that wrote another encoding, as with --encoding; a part of it would come with other letters.',
    hint: 'Restore the whole archive beside, and take the table from there: --create NAME',
  });
}

/** The statements of a section, in the archive's order. @throws AisecError BACKUP_INVALID for what is no SQL. */
async function readStatements(
  access: ServerAccess,
  part: ArchivePart,
  section: 'pre-data' | 'post-data',
): Promise<readonly Statement[]> {
  const script = await withList(part.entries, (list) =>
    access.pgRestore({
      archive: part.archive,
      args: [`--section=${section}`, `--use-list=${list}`, ...leavingOut(part), '--file=-'],
    }),
  );
  const statements = await scriptStatements(
    script,
    `the definitions in ${part.archive}`,
    'Restore the whole backup beside, and take the table from there: --create NAME',
  );
  refuseOtherEncoding(part.archive, script, statements);
  return statements.filter((statement) => !isOwnSetting(statement));
}

/** The statements of a section as the server takes them. @throws AisecError BACKUP_INVALID for what is no SQL. */
export async function readDefinitions(
  access: ServerAccess,
  part: ArchivePart,
  section: 'pre-data' | 'post-data',
): Promise<readonly Statement[]> {
  return statementsFor(await readStatements(access, part, section), part.serverMajor);
}

/** What comes before the rows, where the server does not take it as pg_restore would send it; else undefined. */
export async function readUnfitDefinitions(
  access: ServerAccess,
  part: ArchivePart,
): Promise<readonly Statement[] | undefined> {
  const written = await readStatements(access, part, 'pre-data').catch((error: unknown) => {
    if (isAisecError(error, 'BACKUP_FORMAT')) return undefined;
    throw error;
  });
  if (written === undefined) return undefined;
  const taken = await statementsFor(written, part.serverMajor);
  const isSame = taken.length === written.length && taken.every((statement, index) => statement === written[index]);
  return isSame ? undefined : taken;
}

/** They come last, as pg_restore has them. */
export function isGrant({ node }: Statement): boolean {
  return node === 'GrantStmt';
}

/**
 * Runs the definitions of a section that makes objects. The grants come last, and on what PostgreSQL
 * gives a new object: what default privileges add here, such as everything for every role of an API, is not in the backup.
 */
export async function makeObjects(
  session: Session,
  statements: readonly Statement[],
  rewrite: RewriteSql = (sql) => Promise.resolve(sql),
): Promise<void> {
  const run = async (some: readonly Statement[]): Promise<void> => {
    for (const { text } of some) await session.query(await rewrite(text));
  };
  await run(statements.filter((each) => !isGrant(each)));
  const { rows } = await session.query<{ statement: string }>(sqlFile('backup/default-grants'));
  for (const { statement } of rows) await session.query(statement);
  await run(statements.filter(isGrant));
}

/** Changes a statement before it is sent, such as the schema that it names. */
export type RewriteSql = (statement: string) => Promise<string>;

/** Splits what pg_restore writes of rows into statements and COPY blocks, and sends them in batches. */
class RowLoader {
  readonly #session: Session;
  readonly #lines = new Lines();
  #statement = '';
  #target: string | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  readonly #rewrite: RewriteSql;

  constructor(session: Session, rewrite: RewriteSql) {
    this.#session = session;
    this.#rewrite = rewrite;
  }

  async add(chunk: Buffer): Promise<void> {
    for (const line of this.#lines.of(chunk)) await this.#line(line);
  }

  async #line(line: Buffer): Promise<void> {
    if (this.#target === undefined) return this.#text(line.toString('utf8'));
    if (line.length === 3 && line.toString('latin1') === '\\.\n') {
      await this.#send(this.#target);
      this.#target = undefined;
      return;
    }
    this.#batch.push(Buffer.from(line));
    this.#batchBytes += line.length;
    if (this.#batchBytes >= BATCH_BYTES) await this.#send(this.#target);
  }

  async #send(target: string): Promise<void> {
    if (this.#batchBytes > 0) await this.#session.copyIn(target, this.#batch);
    this.#batch = [];
    this.#batchBytes = 0;
  }

  /** Only settings, sequences and COPY stand among rows; comments and psql's own lines are left out. */
  async #text(line: string): Promise<void> {
    if (this.#statement === '' && /^(?:\s*|--.*\n|\\.*\n)$/.test(line)) return;
    this.#statement += line;
    if (!line.endsWith(';\n')) return;
    const statement = await this.#rewrite(this.#statement);
    this.#statement = '';
    const [, target] = /^COPY (.*) FROM stdin;\n$/s.exec(statement) ?? [];
    if (target !== undefined) this.#target = target;
    else if (!OWN_SETTINGS.some((name) => statement.startsWith(`SET ${name} `))) await this.#session.query(statement);
  }
}

/** Loads the rows of the entries on the session, never more than a few megabytes ahead of the server. */
export async function loadRows(
  access: ServerAccess,
  session: Session,
  part: ArchivePart,
  onLine: (line: string) => void,
  rewrite: RewriteSql = (statement) => Promise.resolve(statement),
): Promise<void> {
  const loader = new RowLoader(session, rewrite);
  await withList(part.entries, (list) =>
    access.pgRestore({
      archive: part.archive,
      args: ['--section=data', '--verbose', `--use-list=${list}`, '--file=-'],
      onLine,
      onStdout: (chunk) => loader.add(chunk),
    }),
  );
}
