import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../../../../base/identifier.js';

/** A view or function, as DROP and ALTER name it. */
export interface Replaced {
  readonly kind: string;
  /** As SQL takes it, with its schema and the types of its arguments. */
  readonly identity: string;
}

interface Grant {
  readonly grantee: string;
  readonly privilege: string;
  readonly isGrantable: boolean;
  readonly column: string | null;
}

interface Properties {
  readonly identity: string;
  readonly owner: string;
  readonly columns: readonly string[];
  readonly grants: readonly Grant[];
  readonly comments: readonly { readonly column: string | null; readonly text: string }[];
}

export type PropertiesByIdentity = ReadonlyMap<string, Properties>;

function isFunction({ kind }: Replaced): boolean {
  return kind === 'function' || kind === 'procedure';
}

/** Owner, privileges and comments, which DROP and CREATE do not keep. */
export async function readProperties(session: Session, objects: readonly Replaced[]): Promise<PropertiesByIdentity> {
  const { rows } = await session.query<Properties>(sqlFile('migrate/object-properties'), [
    objects.map(({ identity }) => identity),
    objects.map(isFunction),
  ]);
  return new Map(rows.map((row) => [row.identity, row]));
}

function grantText(
  { grantee, privilege, isGrantable, column }: Grant,
  object: Replaced,
  verb: 'grant' | 'revoke',
): string {
  const what = column === null ? privilege : `${privilege} (${column})`;
  const on = `on ${isFunction(object) ? object.kind : 'table'} ${object.identity}`;
  if (verb === 'revoke') return `revoke ${what} ${on} from ${grantee};`;
  return `grant ${what} ${on} to ${grantee}${isGrantable ? ' with grant option' : ''};`;
}

const keyOf = (grant: Grant): string => JSON.stringify(grant);

function missing(from: readonly Grant[], others: readonly Grant[]): readonly Grant[] {
  const there = new Set(others.map(keyOf));
  return from.filter((grant) => !there.has(keyOf(grant)));
}

/**
 * Gives objects that were created again what those before them had. A comment of their own file stays; what default privileges
 * granted is revoked, unless the file grants.
 */
export async function restoreProperties(
  session: Session,
  objects: readonly Replaced[],
  before: PropertiesByIdentity,
  { keepsNewGrants }: { readonly keepsNewGrants: (object: Replaced) => boolean },
): Promise<void> {
  const created = await readProperties(session, objects);
  const owners = objects.flatMap(({ kind, identity }) => {
    const [was, is] = [before.get(identity)?.owner, created.get(identity)?.owner];
    return was === undefined || is === undefined || was === is ? [] : [`alter ${kind} ${identity} owner to ${was};`];
  });
  if (owners.length > 0) await session.query(owners.join('\n'));
  const after = await readProperties(session, objects);
  const statements = objects.flatMap((object) => {
    const [was, is] = [before.get(object.identity), after.get(object.identity)];
    if (was === undefined || is === undefined) return [];
    const has = (column: string | null): boolean => column === null || is.columns.includes(column);
    const lost = missing(was.grants, is.grants).filter(({ column }) => has(column));
    const added = keepsNewGrants(object) ? [] : missing(is.grants, was.grants);
    const comments = was.comments.filter(
      ({ column }) => has(column) && !is.comments.some((comment) => comment.column === column),
    );
    return [
      ...added.map((grant) => grantText(grant, object, 'revoke')),
      ...lost.map((grant) => grantText(grant, object, 'grant')),
      ...comments.map(({ column, text }) =>
        column === null
          ? `comment on ${object.kind} ${object.identity} is ${quoteLiteral(text)};`
          : `comment on column ${object.identity}.${column} is ${quoteLiteral(text)};`,
      ),
    ];
  });
  if (statements.length > 0) await session.query(statements.join('\n'));
}
