import { randomBytes } from 'node:crypto';

/** `custom`: pg_dump -Fc. `embedded`: the data directory of the embedded database. `sql`: text. */
export type BackupFormat = 'custom' | 'embedded' | 'sql';

const EXTENSIONS: Readonly<Record<BackupFormat, string>> = {
  custom: 'dump',
  embedded: 'pgdata.tgz',
  sql: 'sql.gz',
};
/** Added to the name of an encrypted one, as `age` itself does. */
const ENCRYPTED = '.age';
const NAME = /^(.+)_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)(?:-([0-9a-f]{6}))?\.(dump|pgdata\.tgz|sql\.gz)(\.age)?$/;

export interface BackupName {
  readonly database: string;
  readonly createdAt: Date;
  /** Six hexadecimal digits by chance, so that runs of one second have two names; older versions gave none. */
  readonly id?: string | undefined;
  readonly format: BackupFormat;
  readonly isEncrypted: boolean;
}

/** The database's name, with what a file name or a shell would stumble over as %XX. */
export function encodeDatabaseName(database: string): string {
  return [...Buffer.from(database)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_.-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('')
    .replace(/^[.-]/, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `20261125_062210`, in UTC. */
export function timestampOf(moment: Date): string {
  return moment.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
}

/** `ai_secretary_20261125_021500-3f9a2c.dump`: the database, when the backup was begun, in UTC, and its id. */
export function backupFileName(name: BackupName): string {
  const suffix = name.isEncrypted ? ENCRYPTED : '';
  const id = name.id === undefined ? '' : `-${name.id}`;
  return `${encodeDatabaseName(name.database)}_${timestampOf(name.createdAt)}${id}.${EXTENSIONS[name.format]}${suffix}`;
}

/** An id for a name, by chance. */
export function newBackupId(): string {
  return randomBytes(3).toString('hex');
}

/** Every name that a backup of this database, moment and id can have; they share the file of the roles. */
export function namesOfMoment({
  database,
  createdAt,
  id,
}: Omit<BackupName, 'format' | 'isEncrypted'>): readonly string[] {
  return (Object.keys(EXTENSIONS) as BackupFormat[]).flatMap((format) =>
    [false, true].map((isEncrypted) => backupFileName({ database, createdAt, id, format, isEncrypted })),
  );
}

/** What the name of a file says; undefined when it is not the name of a backup. */
export function parseBackupFileName(file: string): BackupName | undefined {
  const match = NAME.exec(file);
  if (match === null) return undefined;
  const [, database = '', year, month, day, hour, minute, second, id, extension, encrypted] = match;
  const createdAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const format = (Object.keys(EXTENSIONS) as BackupFormat[]).find((each) => EXTENSIONS[each] === extension);
  if (format === undefined || Number.isNaN(createdAt.getTime())) return undefined;
  return {
    database: decode(database),
    createdAt,
    ...(id !== undefined && { id }),
    format,
    isEncrypted: encrypted !== undefined,
  };
}

export function manifestName(file: string): string {
  return `${file}.json`;
}

function withoutExtension(file: string): string {
  return file.replace(/\.(dump|pgdata\.tgz|sql\.gz)(\.age)?$/, '');
}

/** What the names of all files of one backup begin with; of another file its name. */
export function stemOf(file: string): string {
  return withoutExtension(file.replace(/\.json$/, '').replace(/\.globals\.sql(\.age)?$/, ''));
}

/** The database of the backup whose files begin so; undefined when it is none of ours. */
export function databaseOfStem(stem: string): string | undefined {
  return parseBackupFileName(`${stem}.${EXTENSIONS.custom}`)?.database;
}

/** Names of backups of this database begin so; those of others may, too. */
export function startOfNames(database: string): string {
  return `${encodeDatabaseName(database)}_`;
}

/** Roles, memberships and tablespaces of the server, beside the backup, and encrypted as it is. */
export function globalsName(file: string): string {
  return `${withoutExtension(file)}.globals.sql${file.endsWith(ENCRYPTED) ? ENCRYPTED : ''}`;
}

/** Every name that the globals of a backup can have: older versions did not encrypt those of an encrypted one. */
export function globalsNames(file: string): readonly string[] {
  return [...new Set([globalsName(file), globalsName(plainName(file))])];
}

/** Of an encrypted backup, the name it would have without. */
export function plainName(file: string): string {
  return file.endsWith(ENCRYPTED) ? file.slice(0, -ENCRYPTED.length) : file;
}

/** What a backup is called until it was proven. */
export function partialName(file: string): string {
  return `${file}.partial`;
}

const PARTS = '.parts.partial';

/** The directory that several jobs dump into, which becomes the partial file. */
export function partsName(file: string): string {
  return `${plainName(file)}${PARTS}`;
}

/** Whether it is named as such a directory. */
export function isPartsName(file: string): boolean {
  return file.endsWith(PARTS);
}

/** The backup that a partial file or directory was to become; undefined for any other. */
export function nameOfPartial(file: string): string | undefined {
  if (!file.endsWith('.partial')) return undefined;
  const name = file.replace(/(\.json|\.parts)?\.partial$/, '');
  return parseBackupFileName(name) === undefined ? undefined : name;
}
