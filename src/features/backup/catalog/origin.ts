/** Which database a backup is of, beyond its name, which another server may have, too. */
export interface BackupOrigin {
  /** The same for every backup of one installation: made of the server's system identifier, or of the embedded one's own id. */
  readonly id: string;
  /** For people: `db.example.com`, `/srv/app/.aisec/pgdata`. */
  readonly label: string;
  /** `db.example.com:5432`: servers copied file by file have one identifier, and so have a primary and its standbys. */
  readonly address?: string | undefined;
  /** Of the database on its server. Origins are the same without it: a restored database has a new one. */
  readonly databaseOid?: number | undefined;
}
