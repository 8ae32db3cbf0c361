import { sqlFile } from './sql-file.js';

/**
 * The query in `sql/client/<name>.sql`, which a service sends. What is bundled has these few texts apart from those of the
 * command line (.config/compiled-sql.js): a service loads no others.
 */
export function clientSql(name: string): string {
  return sqlFile(`client/${name}`);
}
