import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { unreadable } from '../../../adapters/files/read.js';
import { AisecError, messageOf } from '../../../base/errors.js';
import type { ErasureRecord, RecordedSharedRule } from './erasure-record.js';

/** Beside the backups, so that it survives the database: one line of JSON for each erasure, without personal data. */
export const ERASURE_LIST = 'erasures.jsonl';

const OWNER_ONLY = 0o600;
const HEXADECIMAL = /^[0-9a-f]{64}$/;
/** Ends a line that a killed run, or a full disk, cut short; no JSON ends so. */
const NOT_WHOLE = '~';

function isRule(value: unknown): value is RecordedSharedRule {
  if (value === 'refuse' || value === 'keep') return true;
  return typeof value === 'object' && value !== null && 'handOverToHash' in value;
}

function recordOf(line: string): ErasureRecord | undefined {
  let value: Partial<ErasureRecord> | null;
  try {
    value = JSON.parse(line) as Partial<ErasureRecord> | null;
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object') return undefined;
  const { hashKey = '', subjectHash = '', startedAt, shared, anonymise } = value;
  if (!HEXADECIMAL.test(hashKey) || !HEXADECIMAL.test(subjectHash) || typeof startedAt !== 'string') return undefined;
  if (!isRule(shared) || !Array.isArray(anonymise)) return undefined;
  return { hashKey, subjectHash, startedAt, shared, anonymise: anonymise.map(String) };
}

/**
 * The erasures of a list. A last line without its end is of a run that was killed before it erased anything.
 *
 * @throws AisecError CONFIG_INVALID for any other line that is damaged: an erasure that it stood for would be forgotten.
 */
export function parseErasureList(text: string, place: string): readonly ErasureRecord[] {
  const lines = text.split('\n');
  const last = lines.length - 1;
  return lines.flatMap((line, index) => {
    if (line.trim() === '' || line.endsWith(NOT_WHOLE)) return [];
    const record = recordOf(line);
    if (record !== undefined) return [record];
    if (index === last) return [];
    throw new AisecError('CONFIG_INVALID', `the list of erasures ${place} is damaged`, {
      detail: `Line ${index + 1} cannot be read.`,
      hint: 'Put a good copy of it in its place, or remove that line where you know whom to erase again.',
    });
  });
}

export function formatErasureList(records: readonly ErasureRecord[]): string {
  return records.map((each) => `${JSON.stringify(each)}\n`).join('');
}

/** The erasures that the list in a directory has; undefined when there is none. @throws AisecError CONFIG_INVALID. */
export function readErasureList(directory: string): readonly ErasureRecord[] | undefined {
  const file = path.join(directory, ERASURE_LIST);
  try {
    return parseErasureList(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error instanceof AisecError ? error : unreadable(file, error);
  }
}

/** What ends a last line that was not written whole, so that the next erasure stands on a line of its own. */
function endOfLast(text: string): string {
  const last = text.slice(text.lastIndexOf('\n') + 1);
  if (last === '') return '';
  return recordOf(last) === undefined ? `${NOT_WHOLE}\n` : '\n';
}

/**
 * Adds erasures to the list of a directory of backups, and returns when they are on the disk. Two runs at once both
 * append. A directory that does not exist is not made: no backups are kept there.
 *
 * @throws AisecError BACKUP_DIRECTORY when it cannot be written.
 */
export function addToErasureList(directory: string, records: readonly ErasureRecord[]): void {
  if (!existsSync(directory) || records.length === 0) return;
  const known = new Set((readErasureList(directory) ?? []).map(({ subjectHash }) => subjectHash));
  const added = records.filter(({ subjectHash }) => !known.has(subjectHash));
  if (added.length === 0) return;
  const file = path.join(directory, ERASURE_LIST);
  try {
    const descriptor = openSync(file, 'a+', OWNER_ONLY);
    try {
      fchmodSync(descriptor, OWNER_ONLY);
      // In full, or it throws: writeSync may write a part.
      writeFileSync(descriptor, `${endOfLast(readFileSync(file, 'utf8'))}${formatErasureList(added)}`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new AisecError('BACKUP_DIRECTORY', `could not write "${file}"`, {
      detail: `${messageOf(error)}.`,
      hint: 'No changes were made. A restore of an older backup needs the list: make the directory writable, or give another --dir.',
      cause: error,
    });
  }
}
