import { existsSync } from 'node:fs';

import { copyLine } from '../../../../adapters/postgres/copy.js';
import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { AisecError, isAisecError, messageOf } from '../../../../base/errors.js';
import { quoteIdentifier } from '../../../../base/identifier.js';
import { throwIfInterrupted } from '../../../../base/interruption.js';
import { ExportReader } from '../exports/export-file.js';
import { readManifest, type Manifest } from '../exports/manifest.js';
import { csvValues } from '../exports/record-format.js';

const BATCH_CHARACTERS = 1024 * 1024;

function invalid(file: string, reason: string, hint: string): AisecError {
  return new AisecError('EXPORT_INVALID', `could not use the export "${file}"`, { detail: `${reason}.`, hint });
}

const ANOTHER = 'No changes were made. Use another copy of the file.';

/**
 * Reads an export whole, before anything else happens: its size, hashes and number of messages are those of its manifest.
 *
 * @throws AisecError EXPORT_INVALID; USAGE when there is no such file.
 */
export async function verifyFile(
  file: string,
  signal: AbortSignal,
  onRecords: (count: number) => void,
): Promise<Manifest> {
  if (!existsSync(file))
    throw new AisecError('USAGE', `there is no file "${file}"`, {
      hint: 'Give the file that aisec archive export wrote.',
    });
  const manifest = readManifest(file);
  const reader = new ExportReader(file, manifest.format);
  let count = 0;
  try {
    for await (const _ of reader.records()) {
      throwIfInterrupted(signal);
      count += 1;
      if (count % 10_000 === 0) onRecords(count);
    }
  } catch (error) {
    if (isAisecError(error)) throw error;
    throw invalid(file, `It could not be read: ${messageOf(error)}`, ANOTHER);
  }
  const { sha256, contentSha256, isWhole } = reader.content();
  if (sha256 !== manifest.sha256 || contentSha256 !== manifest.contentSha256 || !isWhole)
    throw invalid(file, 'It is damaged: its SHA-256 is not that of the manifest', ANOTHER);
  if (count !== manifest.rows)
    throw invalid(file, `It has ${count} messages, and its manifest says ${manifest.rows}`, ANOTHER);
  return manifest;
}

interface TargetColumn {
  readonly name: string;
  readonly type: string;
  readonly may_lack: boolean;
}

/** @throws AisecError EXPORT_INVALID when a column of the file, or one that messages need, is missing on the other side. */
export async function refuseOtherColumns(session: Session, file: string, manifest: Manifest): Promise<void> {
  const { rows: target } = await session.query<TargetColumn>(sqlFile('archive/target-columns'));
  const problems = [
    ...manifest.columns.flatMap(({ name, type }) => {
      const own = target.find((column) => column.name === name);
      if (own === undefined) return [`messages have no column ${quoteIdentifier(name)}`];
      return own.type === type ? [] : [`column ${quoteIdentifier(name)} is ${own.type} here and ${type} in the file`];
    }),
    ...target
      .filter((column) => !column.may_lack && !manifest.columns.some(({ name }) => name === column.name))
      .map(({ name }) => `the file lacks column ${quoteIdentifier(name)}`),
  ];
  if (problems.length > 0)
    throw invalid(file, problems.join('; '), 'No changes were made. Give both the same columns first.');
}

const columnList = (manifest: Manifest): string => manifest.columns.map(({ name }) => quoteIdentifier(name)).join(', ');

async function loadCsv(session: Session, manifest: Manifest, lines: readonly string[]): Promise<void> {
  const text = lines.map((line) => copyLine(csvValues(line))).join('');
  await session.copyIn(`aisec_import (${columnList(manifest)})`, [Buffer.from(text)]);
}

/** The server reads the JSON: numbers keep all of their digits. */
async function loadJson(session: Session, manifest: Manifest, lines: readonly string[]): Promise<void> {
  const columns = columnList(manifest);
  const values = manifest.columns.map(({ name }) => `staged.${quoteIdentifier(name)}`).join(', ');
  await session.query(
    `insert into aisec_import (${columns})
     select ${values}
     from pg_catalog.unnest($1::text[]) as line,
       pg_catalog.json_populate_record(null::aisec_import, line::json) as staged`,
    [lines],
  );
}

/**
 * Loads the records of an export into the table aisec_import, batch by batch.
 *
 * @throws AisecError EXPORT_INVALID; DATABASE_FAILED when a value does not fit its column.
 */
export async function loadFile(
  session: Session,
  file: string,
  manifest: Manifest,
  onRecords: (count: number) => void,
): Promise<void> {
  const reader = new ExportReader(file, manifest.format);
  const load = manifest.format === 'csv' ? loadCsv : loadJson;
  let lines: string[] = [];
  let characters = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    if (lines.length > 0) await load(session, manifest, lines);
    count += lines.length;
    onRecords(count);
    lines = [];
    characters = 0;
  };
  for await (const record of reader.records()) {
    lines.push(record);
    characters += record.length;
    if (characters >= BATCH_CHARACTERS) await flush();
  }
  await flush();
  if (reader.content().sha256 !== manifest.sha256) throw invalid(file, 'It changed while it was read', ANOTHER);
}
