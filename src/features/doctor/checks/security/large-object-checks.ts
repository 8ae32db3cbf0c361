import { listed } from '../../../../base/count.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import type { Check, Outcome, Subject } from '../../check.js';

interface FunctionRow {
  readonly signature: string;
  readonly name: string;
  readonly grantees: readonly string[];
}

async function examine({ session }: Subject): Promise<Outcome> {
  const { rows } = await session.query<FunctionRow>(sqlFile('doctor/large-objects'));
  // What it has through a role between is that role's affair.
  const open = rows.filter(({ grantees }) => grantees.length > 0);
  if (open.length === 0) return [];
  const grantees = [...new Set(open.flatMap((row) => row.grantees))];
  return {
    object: 'authenticated',
    message: `role authenticated may make large objects, by ${listed(open.map(({ name }) => name))}`,
    impact:
      'they belong to the role, not to a user, so every user may read and overwrite them, no policy restricts them, and they stay until lo_unlink',
    fix: `revoke execute on function ${open.map(({ signature }) => signature).join(', ')} from ${grantees.join(', ')};`,
  };
}

export const LARGE_OBJECT_CHECKS: readonly Check[] = [
  {
    id: 'large-objects',
    area: 'security',
    severity: 'notice',
    title: 'large objects, which have no row-level security and which services may make',
    examine,
  },
];
