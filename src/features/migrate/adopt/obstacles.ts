import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { formatCount } from '../../../base/count.js';
import type { Finding } from '../../../base/finding.js';
import type { Change } from '../drift/change.js';
import { name } from '../drift/fix/names.js';
import type { AdoptFacts } from './facts.js';
import { ownColumnFindings } from './own-columns.js';

/** Counting stops there. */
const COUNTED_TO = 10_000;

function finding(id: string, object: string, message: string, impact: string, fix: string | null): Finding {
  return { id, severity: 'critical', object, message, impact, fix };
}

/** What only a person can decide about columns, since rows would be rewritten or lost. */
function columnFindings({ changes, wanted }: AdoptFacts): readonly Finding[] {
  const ours = new Set(wanted.tables.map((table) => table.name));
  return changes.flatMap((change): readonly Finding[] => {
    const { kind, object, live, wanted: made, differences } = change;
    if (kind !== 'column') return [];
    if (made?.kind !== 'column' || live === undefined || !ours.has(made.item.table)) return [];
    if (!differences.some(({ property }) => ['type', 'collation', 'identity', 'generated'].includes(property)))
      return [];
    if (isWidening(change)) return [];
    return [
      finding(
        `column-type:${object}`,
        `column ${object}`,
        `column ${object} is ${differences.map(({ before, after }) => `${String(before)}, expected ${String(after)}`).join('; ')}`,
        'changing it rewrites the table while no session can use it: choose the time for it',
        `alter table ${name(made.item.table)} alter column ${name(made.item.name)} type ${made.item.type} using ${name(made.item.name)}::${made.item.type};`,
      ),
    ];
  });
}

/** varchar(50) to varchar(100) or text changes the catalog only. */
function isWidening({ differences }: Change): boolean {
  const limit = (value: unknown): number => {
    if (value === 'text' || value === 'character varying') return Number.POSITIVE_INFINITY;
    return Number(/^character varying\((\d+)\)$/.exec(String(value))?.[1] ?? Number.NaN);
  };
  return differences
    .filter(({ property }) => property === 'type')
    .every(({ before, after }) => limit(after) >= limit(before));
}

function messagesFindings({ dependents, references, messages, live }: AdoptFacts): readonly Finding[] {
  const blocking = dependents.filter(({ kind }) => kind !== 'view');
  const hasDefault = live.tables.some(({ name: table, bound }) => table === 'messages_default' && bound === 'DEFAULT');
  return [
    ...(messages === 'partitioned' && !hasDefault
      ? [
          finding(
            'messages-partitioned',
            'table messages',
            'messages is partitioned, and not as the migrations do it',
            'its rows have to be copied to a plain table first',
            null,
          ),
        ]
      : []),
    ...blocking.map(({ kind, object }) =>
      finding(
        `dependent:${object}`,
        `${kind} ${object}`,
        `${kind} ${object} is bound to the table messages`,
        'it would read the old table, which becomes the default partition; drop it before, and make it again afterwards',
        null,
      ),
    ),
    ...references
      .filter((reference) => !reference.is_to_id)
      .map(({ table, name: key }) =>
        finding(
          `reference:${key}`,
          `constraint ${key} on ${table}`,
          `the foreign key ${key} of ${table} does not point to messages.id alone`,
          'messages has no such key when it is partitioned',
          `alter table ${table} drop constraint ${key};`,
        ),
      ),
  ];
}

/** `CHECK (…)` and `FOREIGN KEY (a) REFERENCES b(id)` as the condition of a row that violates it. */
function violation(
  definition: string,
  table: string,
): { readonly condition: string; readonly fix: string | null } | undefined {
  const check = /^CHECK (\([\s\S]*\))(?: NO INHERIT)?$/.exec(definition)?.[1];
  if (check !== undefined) return { condition: `${check} is false`, fix: null };
  const key = /^FOREIGN KEY \(("?[^,)]+"?)\) REFERENCES ("?[^\s(]+"?)\(("?[^,)]+"?)\)(.*)$/.exec(definition);
  if (key === null) return undefined;
  const [, column = '', target = '', targetColumn = '', actions = ''] = key;
  if (target === 'message_keys') return undefined;
  const condition = `${column} is not null and not exists (select from ${target} as target where target.${targetColumn} = ${name(table)}.${column})`;
  const fix = actions.includes('ON DELETE SET NULL')
    ? `update ${name(table)} set ${column} = null where ${condition};`
    : null;
  return { condition, fix };
}

/** Rows that a constraint would refuse, each constraint by one pass over its table. */
async function rowFindings(session: Session, facts: AdoptFacts): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { wanted, live, object, differences } of facts.changes) {
    const isMissing =
      live === undefined || differences.some(({ property }) => property === 'definition' || property === 'validated');
    if (wanted?.kind !== 'constraint' || !isMissing) continue;
    const { table, definition } = wanted.item;
    if (!facts.live.tables.some((found) => found.name === table)) continue;
    const violated = violation(definition, table);
    if (violated === undefined) continue;
    const { rows } = await session.query<{ count: number }>(
      `select pg_catalog.count(*)::integer as count
       from (select from ${quoteIdentifier(facts.schema)}.${quoteIdentifier(table)} where ${violated.condition} limit ${COUNTED_TO + 1}) as violating`,
    );
    const count = rows[0]?.count ?? 0;
    if (count === 0) continue;
    const many = count > COUNTED_TO ? `more than ${formatCount(COUNTED_TO)}` : formatCount(count);
    findings.push(
      finding(
        `rows:${object}`,
        `constraint ${object}`,
        `${many} ${count === 1 ? 'row' : 'rows'} of ${table} would be refused by ${wanted.item.name}`,
        `the constraint says: ${definition}; see them: select * from ${name(table)} where ${violated.condition} limit 100`,
        violated.fix,
      ),
    );
  }
  return findings;
}

async function roleFindings(session: Session, facts: AdoptFacts): Promise<readonly Finding[]> {
  const tables = facts.wanted.tables
    .filter(({ name: table, rowLevelSecurity }) => {
      const live = facts.live.tables.find((found) => found.name === table);
      return rowLevelSecurity && live !== undefined && !live.rowLevelSecurity;
    })
    .map(({ name: table }) => table);
  const { rows } = await session.query<{ role: string; tables: readonly string[] }>(sqlFile('adopt/locked-out-roles'), [
    facts.schema,
    tables,
  ]);
  return rows.map(({ role, tables: used }) =>
    finding(
      `locked-out:${role}`,
      `role ${role}`,
      `role ${role} uses ${used.length} tables that get row-level security, and would see no row of them`,
      `as long as the application does not set app.current_user_id as role authenticated, its role has to bypass the policies; tables: ${used.join(', ')}`,
      `alter role ${quoteIdentifier(role)} bypassrls;`,
    ),
  );
}

async function publicationFindings(session: Session, { schema, messages }: AdoptFacts): Promise<readonly Finding[]> {
  if (messages !== 'plain') return [];
  const { rows } = await session.query<{ publication: string }>(
    `select pubname::text as publication
     from pg_catalog.pg_publication_tables
     where schemaname = $1
       and tablename = 'messages'`,
    [schema],
  );
  return rows.map(({ publication }) =>
    finding(
      `publication:${publication}`,
      `publication ${publication}`,
      `publication ${publication} publishes messages`,
      'its subscribers would get the messages of each partition under another name; add messages again afterwards, with publish_via_partition_root',
      `alter publication ${quoteIdentifier(publication)} drop table ${quoteIdentifier(schema)}.messages;`,
    ),
  );
}

async function historyFindings(session: Session, { schema }: AdoptFacts): Promise<readonly Finding[]> {
  const relation = `${quoteIdentifier(schema)}.pgmigrations`;
  const { rows: there } = await session.query<{ found: boolean }>(
    'select pg_catalog.to_regclass($1) is not null and pg_catalog.to_regclass($2) is null as found',
    [relation, `${quoteIdentifier(schema)}.aisec_migrations`],
  );
  if (there[0]?.found !== true) return [];
  const { rows } = await session.query<{ count: number }>(
    `select pg_catalog.count(*)::integer as count from ${relation}`,
  );
  const count = rows[0]?.count ?? 0;
  if (count === 0) return [];
  return [
    finding(
      'history-shared:pgmigrations',
      'table pgmigrations',
      `pgmigrations has ${formatCount(count)} migrations of another program`,
      `aisec writes its history to a table of that name; give the other one --migrations-table pgmigrations_of_other in its next deployment (${quoteLiteral('pgmigrations_of_other')} is where the rows go)`,
      aisecCommand('migrate repair --yes', schema),
    ),
  ];
}

/** What stands in the way of an adoption; nothing is begun before it is fixed. Reads only. */
export async function adoptObstacles(session: Session, facts: AdoptFacts): Promise<readonly Finding[]> {
  return [
    ...columnFindings(facts),
    ...ownColumnFindings(facts),
    ...messagesFindings(facts),
    ...(await roleFindings(session, facts)),
    ...(await publicationFindings(session, facts)),
    ...(await historyFindings(session, facts)),
    ...(await rowFindings(session, facts)),
  ];
}
