import { all, as, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { ignoring } from '../../fix.js';
import { statementRule } from '../../rule.js';
import { alterations, rowsText } from '../parts.js';

export const vacuumFull = statementRule({
  id: 'vacuum-full',
  severity: 'warning',
  title: 'VACUUM FULL or CLUSTER',
  impact:
    'The table is rewritten under an ACCESS EXCLUSIVE lock: reads and writes wait, and it needs its size again on the disk. pg_repack does the same beside the running services, from PostgreSQL 19 on REPACK (CONCURRENTLY).',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'vacuum full invoices;',
    isBadOutside: true,
    good: 'vacuum invoices;',
    isGoodOutside: true,
  },
  check: (statement, { existing }) => {
    const vacuum = statementOf('VacuumStmt', statement);
    const isFull = all('DefElem', vacuum?.options).some(({ defname }) => defname === 'full');
    const cluster = statementOf('ClusterStmt', statement);
    if (!isFull && cluster === undefined) return [];
    const names = [
      ...all('VacuumRelation', vacuum?.rels).map(({ relation }) => relation),
      ...(cluster === undefined ? [] : [cluster.relation]),
    ];
    const tables = names.flatMap((name) => existing(name) ?? []);
    if (names.length > 0 && tables.length === 0) return [];
    const object = tables.map(({ sqlName }) => sqlName).join(', ') || 'every table';
    const what = isFull ? 'VACUUM FULL' : 'CLUSTER';
    return {
      object,
      message: `${what} rewrites ${object} while reads and writes wait`,
      fix: isFull
        ? [{ sql: `vacuum ${object};`, isOutsideTransaction: true }]
        : ignoring('vacuum-full', 'runs in the maintenance window', statement.text),
    };
  },
});

export const refreshView = statementRule({
  id: 'refresh-without-concurrently',
  severity: 'warning',
  title: 'REFRESH MATERIALIZED VIEW without CONCURRENTLY',
  impact: 'Every query of the view waits until it is filled. CONCURRENTLY needs a unique index on it.',
  example: {
    before:
      'create table invoices (id bigint primary key); create materialized view totals as select count(*) as invoices from invoices; create unique index totals_key on totals (invoices);',
    bad: 'refresh materialized view totals;',
    good: 'refresh materialized view concurrently totals;',
  },
  check: (statement, { existing }) => {
    const refresh = statementOf('RefreshMatViewStmt', statement);
    const view = existing(refresh?.relation);
    if (refresh === undefined || view === undefined || refresh.concurrent === true || refresh.skipData === true)
      return [];
    return {
      object: view.name,
      message: `queries of ${view.sqlName}${rowsText(view)} wait until it is filled`,
      fix: [{ sql: `refresh materialized view concurrently ${view.sqlName};` }],
    };
  },
});

const STORAGE: Readonly<Record<string, string>> = {
  AT_SetLogged: 'SET LOGGED',
  AT_SetUnLogged: 'SET UNLOGGED',
  AT_SetTableSpace: 'SET TABLESPACE',
  AT_SetAccessMethod: 'SET ACCESS METHOD',
};

export const storageChange = statementRule({
  id: 'storage-change',
  severity: 'warning',
  title: 'SET LOGGED, UNLOGGED, TABLESPACE or ACCESS METHOD of a table in use',
  impact:
    'The table is rewritten under an ACCESS EXCLUSIVE lock: reads and writes wait. An unlogged table is empty after a crash and on every replica.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoices set unlogged;',
    good: '-- aisec-ignore storage-change: holds nothing that a crash may not take\nalter table invoices set unlogged;',
  },
  check: (statement, { existing }) =>
    Object.entries(STORAGE).flatMap(([subtype, what]) =>
      alterations(statement, subtype).flatMap(({ relation }) => {
        const table = existing(relation);
        if (table === undefined) return [];
        return {
          object: table.name,
          message: `${what} rewrites ${table.sqlName}${rowsText(table)} while reads and writes wait`,
          fix: ignoring('storage-change', 'runs in the maintenance window', statement.text),
        };
      }),
    ),
});

export const replicaIdentity = statementRule({
  id: 'replica-identity',
  severity: 'warning',
  title: 'REPLICA IDENTITY FULL or NOTHING',
  impact:
    'FULL writes every old row to the log with each update and makes subscribers search whole tables; with NOTHING, updates and deletes of a published table fail.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoices replica identity full;',
    good: 'alter table invoices replica identity default;',
  },
  check: (statement) =>
    alterations(statement, 'AT_ReplicaIdentity').flatMap(({ relation, command }) => {
      const kind = as('ReplicaIdentityStmt', command.def)?.identity_type;
      if (kind !== 'f' && kind !== 'n') return [];
      return {
        object: relation.relname ?? '',
        message: `replica identity of ${relation.relname ?? ''} becomes ${kind === 'f' ? 'FULL' : 'NOTHING'}`,
        fix: [{ sql: `alter table ${relation.relname ?? ''} replica identity default;` }],
      };
    }),
});
