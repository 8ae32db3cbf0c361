import { displayName, placeOf, tableIn, type TableKey } from '../../adapters/catalog/references/reference.js';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

import type { ChosenRows } from '../../adapters/catalog/references/chosen-rows.js';
import { checksumOf, type Checksum } from '../../adapters/files/checksum.js';
import { publish } from '../../adapters/files/publish.js';
import { writeZip, type WrittenEntry, type ZipEntry } from '../../adapters/files/zip.js';
import { rollBack, type Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { aisecVersion } from '../../base/package/version.js';
import { schemaVersion } from '../messages/index.js';
import { isSecret, readColumns, type TableColumns } from './export/columns.js';
import type { ExportedFileMonth, ExportedRows, PersonManifest } from './export/manifest.js';
import { conversationIds, monthsInFiles, ndjsonOfMonth } from './export/months.js';
import { personPage } from './export/page.js';
import { readRows, type ExportedTable } from './export/rows.js';
import { VisibleRows } from './export/visible.js';
import { languageOf, type Language } from './export/words.js';
import { choosePerson, prepareChoice } from './graph/choose-person.js';
import { findPerson, requirePerson, type Person } from './graph/find-person.js';
import { readOwnership, requireAllRows, tablesOf } from './graph/read-ownership.js';

export interface UserExportOptions {
  /** Id, username or e-mail address. */
  readonly user: string;
  readonly schema: string;
  /** Absolute path. */
  readonly file: string;
  /** Whether what the policies do not show is exported, too. */
  readonly isAll: boolean;
  /** Of the page; undefined: that of the user's preferences. */
  readonly language?: Language | undefined;
  /** Writes the second file as the first one encrypted, and returns its size and checksum; undefined: it stays as it is. */
  readonly encrypt?: ((plain: string, encrypted: string, signal: AbortSignal) => Promise<Checksum>) | undefined;
  readonly replaces: boolean;
  readonly isDryRun: boolean;
}

export interface UserExportResult {
  readonly database: string;
  readonly schema: string;
  /** The id. */
  readonly user: string;
  readonly file: string;
  readonly isDryRun: boolean;
  readonly isEncrypted: boolean;
  readonly scope: PersonManifest['scope'];
  readonly snapshotAt: string;
  readonly tables: readonly ExportedRows[];
  readonly months: readonly ExportedFileMonth[];
  readonly rows: number;
  /** Of the file; null in a dry run. */
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
}

/** All rows of a cursor are read; what is compiled for one of 40 partitions would take longer than reading it. */
const SETTINGS = 'set local row_security = off; set local jit = off; set local cursor_tuple_fraction = 1';

/** The registry of keys says nothing that the messages do not say. */
function keysTable(schema: string): TableKey {
  return tableIn(schema, 'message_keys');
}

interface Reading {
  readonly session: Session;
  readonly options: UserExportOptions;
  readonly choice: ChosenRows;
  readonly person: Person;
  readonly tables: readonly ExportedTable[];
  readonly leftOutColumns: readonly string[];
}

/** `users.ndjson`; of another schema `team.notes.ndjson`. Two are never alike, not even where capitals make no difference. */
function entryNames(schema: string, keys: readonly TableKey[]): ReadonlyMap<TableKey, string> {
  const taken = new Set<string>();
  return new Map(
    keys.map((key) => {
      const place = placeOf(key);
      const own = place.schema === schema ? place.table : `${place.schema}.${place.table}`;
      const plain = own.replaceAll(/[^\p{L}\p{N}_.-]/gu, '_');
      let name = plain;
      // As months of files are called.
      const isTaken = (): boolean => taken.has(name.toLowerCase()) || /^messages-\d{4}-\d\d$/i.test(name);
      for (let number = 2; isTaken(); number += 1) name = `${plain}-${number}`;
      taken.add(name.toLowerCase());
      return [key, `data/${name}.ndjson`];
    }),
  );
}

async function languageFor({ session, options, person }: Reading): Promise<Language> {
  if (options.language !== undefined) return options.language;
  const { rows } = await session.query<{ language: string | null }>(
    'select language from user_preferences where user_id = $1',
    [person.id],
  );
  return languageOf(rows[0]?.language);
}

async function writeAll(reading: Reading, partial: string, snapshotAt: string): Promise<UserExportResult['months']> {
  const { session, options, choice, person, tables, leftOutColumns } = reading;
  const months = (await monthsInFiles(session, options.schema)).map((month) => ({ ...month }));
  const conversations =
    months.length === 0 ? new Set<string>() : await conversationIds(session, choice, options.schema);
  const entries: WrittenEntry[] = [];
  const about = {
    database: session.info.databaseName,
    schema: options.schema,
    snapshotAt,
    scope: options.isAll ? ('all' as const) : ('policies' as const),
    tables: tables.map(({ counted }) => counted),
    months,
    leftOutColumns,
  };
  const language = await languageFor(reading);
  const version = await schemaVersion(session);
  const manifest = (): PersonManifest => ({
    kind: 'aisec user export',
    version: 1,
    user: person.id,
    ...about,
    schemaVersion: version,
    entries,
    toolVersion: aisecVersion(),
  });
  const content: readonly ZipEntry[] = [
    ...tables
      .filter(({ counted }) => counted.rows > 0)
      .map((table) => ({ name: table.counted.file, content: () => readRows(session, choice, table) })),
    ...months
      .filter(({ rows }) => rows !== null)
      .map((month) => ({
        name: `data/messages-${month.month}.ndjson`,
        content: () => ndjsonOfMonth(month, conversations, () => (month.rows = (month.rows ?? 0) + 1)),
      })),
    { name: 'index.html', content: () => personPage(session, choice, tables, { ...about, language }) },
    {
      name: 'manifest.json',
      content: async function* () {
        yield `${JSON.stringify(manifest(), null, 2)}\n`;
      },
    },
  ];
  await writeZip(partial, content, (entry) => entries.push(entry), session.signal);
  return months;
}

/** Encrypts what was written where that was asked, and gives it its name. Returns size and checksum. */
async function finish({ session, options }: Reading, partial: string): Promise<Checksum> {
  const { encrypt, file } = options;
  if (encrypt === undefined) {
    const checksum = await checksumOf(partial, session.signal);
    await publish(partial, file);
    return checksum;
  }
  const encrypted = `${file}.age.partial`;
  await rm(encrypted, { force: true });
  const checksum = await encrypt(partial, encrypted, session.signal);
  await publish(encrypted, file);
  return checksum;
}

/** What is kept about the person, table by table, without the tables that have nothing of it. */
async function readTables(
  { schema, isAll }: UserExportOptions,
  choice: ChosenRows,
  hidden: ReadonlyMap<TableKey, number>,
  columns: TableColumns,
): Promise<Pick<Reading, 'tables' | 'leftOutColumns'>> {
  const files = entryNames(schema, [...columns.keys()]);
  const tables: ExportedTable[] = [];
  const leftOutColumns: string[] = [];
  for (const [key, all] of columns) {
    const table = displayName(key);
    const rows = await choice.count(key);
    const hiddenRows = hidden.get(key) ?? 0;
    if (rows + hiddenRows === 0) continue;
    tables.push({
      key,
      columns: all.filter(({ name, isReadable }) => !isSecret(name) && (isAll || isReadable)),
      counted: { table, file: files.get(key) ?? '', rows, hiddenRows },
    });
    leftOutColumns.push(...all.filter(({ name }) => isSecret(name)).map(({ name }) => `${table}.${name}`));
  }
  return { tables, leftOutColumns };
}

/**
 * Writes all that is kept about a person to one ZIP file: a file of NDJSON for each table, live and archived months,
 * months that are only in exports, tables of a team, too; a page to read; and a manifest with hashes. All of it is one
 * MVCC snapshot. The file exists only when it is complete, and only its owner can read it.
 *
 * @throws AisecError USAGE for no such user, REFUSED when the file exists, PRIVILEGE_MISSING for a role that would not
 *   see all rows, EXPORT_INVALID for a month's export that is damaged.
 */
export async function exportUser(
  session: Session,
  options: UserExportOptions,
  { onProgress }: Pick<Reporting, 'onProgress'>,
): Promise<UserExportResult> {
  const { schema, file, user, isAll, isDryRun } = options;
  if (!options.replaces && existsSync(file))
    throw new AisecError('REFUSED', `"${file}" exists`, {
      hint: 'Give another --out, or --replace to write it again.',
    });
  const ownership = await readOwnership(session, schema);
  const keys = tablesOf(ownership);
  await requireAllRows(session, keys, 'select');
  const columns = await readColumns(
    session,
    keys.filter((key) => key !== keysTable(schema)),
  );
  const choice = await prepareChoice(session, ownership);
  const visible = isAll ? undefined : await VisibleRows.prepare(session, columns);
  const partial = `${file}.partial`;
  await rm(partial, { force: true });
  await session.query(`begin isolation level repeatable read, read only; ${SETTINGS}`);
  try {
    const person = requirePerson(await findPerson(session, user), user);
    onProgress('choosing rows');
    await choosePerson(choice, ownership, schema, person, { mentions: true, leavesOut: keysTable(schema) });
    const hidden = (await visible?.filter(choice, person, [...columns.keys()])) ?? new Map<TableKey, number>();
    const reading = { session, options, choice, person, ...(await readTables(options, choice, hidden, columns)) };
    const { rows: times } = await session.query<{ at: string }>(
      `select pg_catalog.to_char(pg_catalog.now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at`,
    );
    const snapshotAt = times[0]?.at ?? '';
    onProgress('writing the file');
    const months = isDryRun ? await monthsInFiles(session, schema) : await writeAll(reading, partial, snapshotAt);
    const written = isDryRun ? { sizeBytes: null, sha256: null } : await finish(reading, partial);
    return {
      database: session.info.label,
      schema,
      user: person.id,
      file: path.resolve(file),
      isDryRun,
      isEncrypted: options.encrypt !== undefined,
      scope: isAll ? 'all' : 'policies',
      snapshotAt,
      tables: reading.tables.map(({ counted }) => counted),
      months,
      rows:
        reading.tables.reduce((sum, { counted }) => sum + counted.rows, 0) +
        months.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
      ...written,
    };
  } finally {
    await rm(partial, { force: true });
    await rm(`${file}.age.partial`, { force: true });
    await rollBack(session);
  }
}
