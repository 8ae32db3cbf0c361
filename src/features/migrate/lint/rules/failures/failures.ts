import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { isDecidedBySchema, statementRule } from '../../rule.js';
import { alterations } from '../parts.js';

const OF_OTHER_RULES = new Set(['55P04']);

export const usedColumnType = statementRule({
  id: 'type-of-used-column',
  severity: 'critical',
  title: 'a change of type of a column that a view, policy, trigger or generated column uses',
  impact:
    'PostgreSQL refuses it: the migration fails. Add a column of the new type, or drop and create what uses it in the same file.',
  example: {
    before:
      'create table invoices (id bigint primary key, amount integer); create view amounts with (security_invoker = true) as select amount from invoices;',
    bad: 'alter table invoices alter column amount type bigint;',
    isRefused: true,
    good: 'alter table invoices add column amount_new bigint;',
  },
  check: (statement, { failure, existing }) => {
    if (failure?.sqlState !== '0A000') return [];
    return alterations(statement, 'AT_AlterColumnType').map(({ relation, command }) => ({
      object: `${relation.relname ?? ''}.${command.name ?? ''}`,
      message: failure.message,
      fix: [
        {
          sql: `alter table ${existing(relation)?.sqlName ?? relation.relname ?? ''} add column ${command.name ?? ''}_new ${/\btype\s+([^,;]+?)(?:\s+using\b|,|$)/i.exec(statement.text)?.[1] ?? 'text'};`,
        },
      ],
    }));
  },
});

export const newEnumValue = statementRule({
  id: 'new-enum-value-used',
  severity: 'critical',
  title: 'a new enum value used in the transaction that adds it',
  impact: 'PostgreSQL refuses it (55P04): the migration fails. Use the value in the next migration.',
  example: {
    before: "create type mood as enum ('calm');",
    bad: "alter type mood add value 'tense';\ncreate table days (id bigint primary key, mood mood default 'tense');",
    isRefused: true,
    good: "alter type mood add value 'tense';",
  },
  check: (statement, { failure, statements }) => {
    const adding = statements.find((other) => statementOf('AlterEnumStmt', other)?.newVal !== undefined);
    if (failure?.sqlState !== '55P04' || adding === undefined) return [];
    return {
      object: statementOf('AlterEnumStmt', adding)?.newVal ?? '',
      message: failure.message,
      fix: [{ sql: `${statement.text};` }],
    };
  },
});

export const statementFails = statementRule({
  id: 'statement-fails',
  severity: 'critical',
  title: 'a statement that fails on the schema that the earlier files make',
  impact: '`aisec migrate up` stops here. A name may be wrong, in use already, or made by a later file.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoice add column note text;',
    isRefused: true,
    good: 'alter table invoices add column note text;',
  },
  check: (statement, { failure }) => {
    if (failure === undefined || statement.isNested || OF_OTHER_RULES.has(failure.sqlState ?? '')) return [];
    if (!isDecidedBySchema(statement, failure.sqlState)) return [];
    if (failure.sqlState === '0A000' && alterations(statement, 'AT_AlterColumnType').length > 0) return [];
    return [{ object: failure.sqlState ?? '', message: `PostgreSQL says: ${failure.message}`, fix: null }];
  },
});

export const rowsViolate = statementRule({
  id: 'rows-violate',
  severity: 'critical',
  title: 'a constraint that rows which are there do not meet',
  impact:
    'The migration fails, after it has read the table. The rows are counted on the connected server, read-only; without one those that earlier migrations have written.',
  example: {
    before:
      "create table invoices (id bigint primary key, status text);\ninsert into invoices (id, status) values (1, 'open'), (2, null), (3, null);",
    bad: 'alter table invoices alter column status set not null;',
    good: "update invoices set status = 'open' where status is null;\nalter table invoices alter column status set not null;",
  },
  check: (_statement, { violations }) =>
    violations.map(({ object, count, isOne, table, query }) => ({
      object,
      message: `${count} ${isOne ? 'row' : 'rows'} of ${table} would make ${object} fail; see them: ${query}`,
      fix: null,
    })),
});
