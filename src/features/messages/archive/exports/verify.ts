import { rollBack, type Session } from '../../../../adapters/postgres/session.js';
import { endsRun, isAisecError, messageOf } from '../../../../base/errors.js';
import { throwIfInterrupted } from '../../../../base/interruption.js';
import { ExportReader } from './export-file.js';
import { readManifest, type Manifest } from './manifest.js';
import { PLAIN_TEXT_SETTINGS, readColumns, readRecords } from './month-reader.js';
import { withoutParent, type ExportFormat } from './record-format.js';

/** Long enough for `{"id":"<uuid>"` and for the uuid that begins a CSV record. */
const ID_PREFIX = 36;

/** `changedSince`: messages of the file that the month has no longer, or with another parent_id. */
export type Verification =
  | { readonly isVerified: true; readonly manifest: Manifest; readonly changedSince: number }
  | { readonly isVerified: false; readonly reason: string };

const no = (reason: string): Verification => ({ isVerified: false, reason });

function startOf(record: string, format: ExportFormat): string {
  return record.slice(0, format === 'csv' ? ID_PREFIX : ID_PREFIX + '{"id":"'.length);
}

interface Comparison {
  /** The first record of the table that the file lacks, or has in another form. */
  readonly missing: string | undefined;
  readonly changed: number;
}

/** Both are in the same order. */
async function compareRecords(
  session: Session,
  relation: string,
  { format, columns }: Manifest,
  file: AsyncGenerator<string>,
): Promise<Comparison> {
  let changed = 0;
  for await (const record of readRecords(session, relation, format, columns)) {
    for (;;) {
      const next = await file.next();
      if (next.done === true) return { missing: record, changed };
      if (next.value === record) break;
      changed += 1;
      if (startOf(next.value, format) !== startOf(record, format)) continue;
      if (withoutParent(next.value, format, columns) === withoutParent(record, format, columns)) break;
      return { missing: record, changed };
    }
  }
  return { missing: undefined, changed };
}

async function compare(
  session: Session,
  relation: string,
  manifest: Manifest,
  reader: ExportReader,
): Promise<Verification> {
  const now = await readColumns(session);
  if (JSON.stringify(now) !== JSON.stringify(manifest.columns)) return no('the columns of messages have changed since');
  const records = reader.records();
  const { missing, changed } = await compareRecords(session, relation, manifest, records);
  if (missing !== undefined) {
    await records.return(undefined);
    return no(`a message of the month is not in the file as it is now: ${startOf(missing, manifest.format)}`);
  }
  let changedSince = changed;
  for await (const _ of records) {
    throwIfInterrupted(session.signal);
    changedSince += 1;
  }
  const content = reader.content();
  if (content.sha256 !== manifest.sha256 || content.contentSha256 !== manifest.contentSha256 || !content.isWhole)
    return no('the file is damaged: its SHA-256 is not that of the manifest');
  if (content.records !== manifest.rows) return no('the file has another number of messages than its manifest says');
  return { isVerified: true, manifest, changedSince };
}

/**
 * Reads an export and the partition it was made from side by side: verified when the file is undamaged and has every
 * message that is in the partition now, in the same form. Messages that were deleted since do not matter, nor does
 * parent_id, which PostgreSQL sets to null when the message it names is deleted.
 *
 * @throws AisecError CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function verifyExport(
  session: Session,
  file: string,
  month: string,
  relation: string,
): Promise<Verification> {
  await session.query(`begin isolation level repeatable read, read only; ${PLAIN_TEXT_SETTINGS}`);
  try {
    const manifest = readManifest(file);
    if (manifest.month !== month) return no(`it is the export of ${manifest.month}`);
    return await compare(session, relation, manifest, new ExportReader(file, manifest.format));
  } catch (error) {
    if (endsRun(error)) throw error;
    return no(
      isAisecError(error) ? `${error.message}: ${error.detail ?? ''}` : `it could not be read: ${messageOf(error)}`,
    );
  } finally {
    await rollBack(session);
  }
}
