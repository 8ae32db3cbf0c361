import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { AisecError, messageOf } from '../../../../base/errors.js';
import type { ExportColumn, ExportFormat } from './record-format.js';

/** What stands beside an export, in FILE.manifest.json. */
export interface Manifest {
  readonly kind: 'aisec archive export';
  readonly version: 1;
  readonly month: string;
  /** Name of the file beside it. */
  readonly file: string;
  readonly format: ExportFormat;
  readonly compression: 'gzip';
  readonly rows: number;
  readonly minCreatedAt: string | null;
  readonly maxCreatedAt: string | null;
  readonly sizeBytes: number;
  /** Of the compressed file. */
  readonly sha256: string;
  /** Of what is in it. */
  readonly contentSha256: string;
  readonly columns: readonly ExportColumn[];
  /** Name of the newest migration. */
  readonly schemaVersion: string | null;
  readonly database: string;
  readonly schema: string;
  readonly exportedAt: string;
  readonly toolVersion: string;
}

export function manifestPath(file: string): string {
  return `${file}.manifest.json`;
}

function isManifest(value: unknown): value is Manifest {
  const { kind, version, month, file, format, rows, sha256, contentSha256, columns } = (value ??
    {}) as Partial<Manifest>;
  return (
    kind === 'aisec archive export' &&
    version === 1 &&
    typeof month === 'string' &&
    typeof file === 'string' &&
    (format === 'ndjson' || format === 'csv') &&
    typeof rows === 'number' &&
    typeof sha256 === 'string' &&
    typeof contentSha256 === 'string' &&
    Array.isArray(columns)
  );
}

/** The manifest of an export. @throws AisecError EXPORT_INVALID. */
export function readManifest(file: string): Manifest {
  let detail = 'It is not a manifest of aisec archive export.';
  try {
    const value: unknown = JSON.parse(readFileSync(manifestPath(file), 'utf8'));
    if (isManifest(value)) return value;
  } catch (error) {
    detail = `${messageOf(error)}.`;
  }
  throw new AisecError('EXPORT_INVALID', `could not use the manifest of "${file}"`, {
    detail,
    hint: 'Export the month again to another file: aisec archive export MONTH --out FILE',
  });
}

/** Whether the manifest beside a file says that it is an export of the month. */
export function isExportOf(file: string, month: string): boolean {
  try {
    return readManifest(file).month === month;
  } catch {
    return false;
  }
}

/** The exports in a directory whose manifest names the month. @throws AisecError CONFIG_INVALID. */
export function exportsIn(directory: string, month: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not read the directory "${directory}"`, {
      detail: `${messageOf(error)}.`,
    });
  }
  return names
    .filter((name) => name.endsWith('.manifest.json'))
    .map((name) => path.join(directory, name.slice(0, -'.manifest.json'.length)))
    .filter((file) => existsSync(file) && isExportOf(file, month));
}
