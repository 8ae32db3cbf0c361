import { namesOf, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { stateRule, statementRule } from '../../rule.js';

export const crowdedTable = stateRule({
  id: 'crowded-table',
  severity: 'notice',
  isOptional: true,
  title: 'a table with more than 60 columns or 12 indexes',
  impact: 'Each write pays for every index, and each row for every column.',
  query: 'crowded-tables',
  example: {
    bad: `create table invoices (id bigint primary key, ${Array.from({ length: 60 }, (_, at) => `c${at + 1} text`).join(', ')});`,
    good: 'create table invoices (id bigint primary key, details jsonb);',
  },
});

export const extensionInSchema = stateRule({
  id: 'extension-in-schema',
  severity: 'notice',
  isOptional: true,
  title: 'an extension in the schema of the tables',
  impact:
    'Its functions stand among yours, and a dump of the schema leaves them out. AISEC_EXTENSION_SCHEMA puts those of aisec elsewhere.',
  query: 'extensions-in-schema',
  example: {
    bad: 'create extension pgcrypto;',
    good: 'create schema if not exists extensions;\ncreate extension pgcrypto with schema extensions;',
  },
});

export const enumType = statementRule({
  id: 'enum-type',
  severity: 'notice',
  isOptional: true,
  title: 'an enum type',
  impact:
    'Values cannot be removed, and a new one cannot be used in the transaction that adds it. The schema uses checks on varchar.',
  example: {
    bad: "create type status as enum ('open', 'paid');",
    good: "create table invoices (id bigint primary key, status varchar(20) check (status in ('open', 'paid')));",
  },
  check: (statement) => {
    const type = statementOf('CreateEnumStmt', statement);
    if (type === undefined) return [];
    const name = namesOf(type.typeName).at(-1) ?? '';
    return [{ object: name, message: `type ${name} is an enum`, fix: null }];
  },
});

export const domainConstraint = statementRule({
  id: 'domain-constraint',
  severity: 'notice',
  isOptional: true,
  title: 'a domain with a constraint',
  impact: 'A change of the constraint reads every table that uses the domain, all of them locked.',
  example: {
    bad: 'create domain amount as numeric check (value >= 0);',
    good: 'create domain amount as numeric;',
  },
  check: (statement) => {
    const domain = statementOf('CreateDomainStmt', statement);
    if (domain === undefined || (domain.constraints ?? []).length === 0) return [];
    const name = namesOf(domain.domainname).at(-1) ?? '';
    return {
      object: name,
      message: `domain ${name} has a constraint`,
      fix: [
        {
          sql: `create domain ${name} as ${/\bas\s+([\w(), ]+?)\s+(?:check|not|constraint)\b/i.exec(statement.text)?.[1] ?? 'text'};`,
        },
      ],
    };
  },
});
