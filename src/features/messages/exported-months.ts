import { existsSync } from 'node:fs';

import type { Session } from '../../adapters/postgres/session.js';
import type { Month } from '../../base/month.js';
import { readExports, type RecordedExport } from './archive/journal.js';
import { ExportReader } from './archive/exports/export-file.js';
import { readManifest } from './archive/exports/manifest.js';
import { csvValues } from './archive/exports/record-format.js';
import { coversAnyOf, readPartitions } from './partition.js';

export interface ExportedMonth extends RecordedExport {
  /** Whether the month is in the database, too; else the export is all that there is of it. */
  readonly isInDatabase: boolean;
  /** Whether the file is on this machine. */
  readonly isHere: boolean;
}

/** The exports of months on record, newest first, each file once. */
export async function exportedMonths(session: Session, schema: string): Promise<readonly ExportedMonth[]> {
  const { partitions } = await readPartitions(session, schema);
  const isInDatabase = (month: Month): boolean => partitions.some((partition) => coversAnyOf(partition, month));
  const exports = await readExports(session);
  return exports
    .filter((each, index) => exports.findIndex(({ file }) => file === each.file) === index)
    .map((each) => ({ ...each, isInDatabase: isInDatabase(each.month), isHere: existsSync(each.file) }));
}

/**
 * The messages of some conversations in an export, as JSON, one a line.
 *
 * @throws AisecError EXPORT_INVALID when the file is not what its manifest says.
 */
export async function* readExportedMessages(file: string, conversations: ReadonlySet<string>): AsyncGenerator<string> {
  const { format, columns } = readManifest(file);
  const position = columns.findIndex(({ name }) => name === 'conversation_id');
  for await (const record of new ExportReader(file, format).records()) {
    if (format === 'ndjson') {
      const id = /"conversation_id":"([0-9a-f-]{36})"/.exec(record)?.[1];
      // The text of a message may hold the same characters: only reading the record is sure.
      if (id === undefined) continue;
      const { conversation_id: own } = JSON.parse(record) as { readonly conversation_id?: string };
      if (own !== undefined && conversations.has(own)) yield record;
      continue;
    }
    const values = csvValues(record);
    if (conversations.has(values[position] ?? ''))
      yield JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, values[index] ?? null])));
  }
}
