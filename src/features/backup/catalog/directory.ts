import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

import { AisecError, isAisecError, messageOf } from '../../../base/errors.js';
import { ERASURE_LIST } from '../erasures/list-file.js';
import { factsOf, type BackupFacts } from './facts.js';
import { inTurns } from './in-turns.js';
import { readManifest } from './manifest.js';
import { globalsNames, isPartsName, manifestName, nameOfPartial, parseBackupFileName } from './names.js';

/** A file with a name of ours and its manifest, of the size the manifest says. */
export interface Backup {
  readonly state: 'complete';
  /** Absolute path. */
  readonly file: string;
  /** Of its manifest, what is not long. */
  readonly manifest: BackupFacts;
  readonly createdAt: Date;
}

/** What is named as a backup and is none that can be counted. `unreadable`: here, by this user; it may well be whole. */
export interface IncompleteBackup {
  readonly state: 'incomplete' | 'unreadable';
  readonly file: string;
  readonly database: string;
  /** From its name. */
  readonly createdAt: Date;
  /** Of the file; null when only its manifest is there. */
  readonly sizeBytes: number | null;
  /** A full sentence. */
  readonly reason: string;
}

export interface BackupDirectory {
  /** Of all databases, the newest first. */
  readonly backups: readonly Backup[];
  readonly incomplete: readonly IncompleteBackup[];
  /** Absolute paths of what stopped runs have left. */
  readonly partials: readonly string[];
  /** Names of everything else; never touched. */
  readonly foreign: readonly string[];
}

const CONCURRENT_READS = 16;
/** What this user may not read, and what a disk does not give. */
const UNREADABLE: readonly string[] = ['EACCES', 'EPERM', 'EIO'];

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new AisecError('BACKUP_DIRECTORY', `could not read the directory "${directory}"`, {
      detail: `${messageOf(error)}.`,
      hint: 'Give another directory, or make this one readable.',
      cause: error,
    });
  }
}

async function look(directory: string, name: string): Promise<Backup | IncompleteBackup | undefined> {
  const file = path.join(directory, name);
  const said = parseBackupFileName(name);
  const stats = await lstat(file).catch(() => undefined);
  if (said === undefined) return undefined;
  const { database, createdAt } = said;
  const incomplete = (reason: string): IncompleteBackup => ({
    state: 'incomplete',
    file,
    database,
    createdAt,
    sizeBytes: stats?.size ?? null,
    reason,
  });
  try {
    const manifest = await readManifest(file);
    if (stats === undefined) return incomplete('Its manifest is there and the file is not.');
    if (stats.size !== manifest.sizeBytes)
      return incomplete(`It has ${stats.size} bytes and its manifest says ${manifest.sizeBytes}.`);
    return { state: 'complete', file, manifest: factsOf(manifest), createdAt: new Date(manifest.createdAt) };
  } catch (error) {
    if (!isAisecError(error)) throw error;
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    const found = incomplete(error.detail ?? error.message);
    return UNREADABLE.includes(code ?? '') ? { ...found, state: 'unreadable' } : found;
  }
}

function isPartial(entry: Dirent): boolean {
  const isOfKind = isPartsName(entry.name) ? entry.isDirectory() : entry.isFile();
  return isOfKind && nameOfPartial(entry.name) !== undefined;
}

export const newestFirst = (a: { readonly createdAt: Date }, b: { readonly createdAt: Date }): number =>
  b.createdAt.getTime() - a.createdAt.getTime();

/**
 * What a directory of backups holds. A directory that does not exist holds nothing. Reads names, sizes and manifests, never
 * the backups; symbolic links and everything without a name of ours are foreign.
 *
 * @throws AisecError BACKUP_DIRECTORY when it cannot be read.
 */
export async function readBackupDirectory(directory: string): Promise<BackupDirectory> {
  const entries = await entriesOf(directory);
  const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
  const named = [...files].filter((name) => parseBackupFileName(name) !== undefined);
  const withoutFile = [...files]
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .filter((name) => parseBackupFileName(name) !== undefined && !entries.some((entry) => entry.name === name));
  const partials = entries.filter(isPartial).map(({ name }) => name);
  const unfinished = new Set(partials.map(nameOfPartial));
  // The manifest of a run that was stopped before its last step belongs to the partial file.
  const company = withoutFile.filter((name) => !unfinished.has(name));
  const found = await inTurns([...named, ...company], CONCURRENT_READS, (name) => look(directory, name));
  const ours = new Set(
    [...named, ...withoutFile, ...partials].flatMap((name) => [name, manifestName(name), ...globalsNames(name)]),
  );
  return {
    backups: found.filter((each) => each?.state === 'complete').toSorted(newestFirst),
    incomplete: found.filter((each) => each !== undefined && each.state !== 'complete').toSorted(newestFirst),
    partials: partials.map((name) => path.join(directory, name)),
    foreign: entries
      .map(({ name }) => name)
      .filter((name) => !ours.has(name) && name !== ERASURE_LIST && !name.startsWith('.aisec-')),
  };
}
