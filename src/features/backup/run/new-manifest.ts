import path from 'node:path';

import { FORMAT_VERSION, type BackupManifest } from '../catalog/manifest.js';
import type { NamedTable } from '../catalog/left-out.js';
import type { Checksum } from '../../../adapters/files/checksum.js';
import { aisecVersion } from '../../../base/package/version.js';
import type { ServerFacts } from './server-facts.js';
import type { SnapshotContents } from './snapshot.js';

/** What is known of a backup that was just proven. */
export interface NewBackup extends Pick<
  BackupManifest,
  | 'database'
  | 'schema'
  | 'origin'
  | 'durationMs'
  | 'format'
  | 'compression'
  | 'toolVersion'
  | 'globals'
  | 'verifications'
  | 'leftOut'
> {
  /** The path that it will get. */
  readonly file: string;
  readonly createdAt: Date;
  readonly facts: ServerFacts;
  readonly contents: SnapshotContents;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  /** Of the file as it will be. */
  readonly checksum: Checksum;
}

/** The first manifest of a backup: it is not pinned, copied or found damaged. */
export function newManifest(backup: NewBackup): BackupManifest {
  const { facts, contents, recipients, checksum, leftOut } = backup;
  const isLeftOut = ({ schema, table }: NamedTable): boolean =>
    leftOut?.tables.some((each) => each.schema === schema && each.table === table) === true;
  return {
    kind: 'aisec backup',
    formatVersion: FORMAT_VERSION,
    file: path.basename(backup.file),
    database: backup.database,
    schema: backup.schema,
    origin: backup.origin ?? null,
    createdAt: backup.createdAt.toISOString(),
    durationMs: backup.durationMs,
    format: backup.format,
    sizeBytes: checksum.sizeBytes,
    databaseSizeBytes: facts.sizeBytes,
    sha256: checksum.sha256,
    compression: backup.compression,
    serverVersion: facts.serverVersion,
    serverMajor: facts.serverMajor,
    toolVersion: backup.toolVersion,
    aisecVersion: aisecVersion(),
    extensions: contents.extensions,
    migration: contents.migration,
    roles: contents.roles,
    globals: backup.globals,
    encryption: recipients.length === 0 ? null : { recipients },
    verifications: backup.verifications,
    damage: null,
    isPinned: false,
    ...(backup.leftOut !== undefined && { leftOut: backup.leftOut }),
    offsite: [],
    ...(facts.standby !== null && { standby: facts.standby }),
    rows: [
      ...contents.rows.map((each) => (isLeftOut(each) ? { ...each, rows: 0 } : each)),
      ...(facts.standby?.unloggedTables ?? []).map((table) => ({ ...table, rows: 0 })),
    ],
    // Last, since it is long.
    catalog: contents.catalog,
  };
}
