import { listed } from '../../../../base/count.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { shadowFindings } from '../../../migrate/checks.js';
import type { Check, Fault, Subject } from '../../check.js';
import { grantee, qualified } from '../../names.js';
import { nameInSql, quoteIdentifier } from '../../../../base/identifier.js';

interface ViewRow {
  readonly schema: string;
  readonly name: string;
  readonly is_materialized: boolean;
  readonly tables: readonly string[];
  readonly grantees: readonly string[];
}

interface FunctionRow {
  readonly signature: string;
  readonly word: 'function' | 'procedure';
  readonly is_pinned: boolean;
  readonly for_public: boolean;
}

async function examineViews({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<ViewRow>(sqlFile('doctor/views'), [schema]);
  return (
    rows
      // A materialized view cannot be made to check privileges, so it is only a matter of who may read it.
      .filter((view) => !view.is_materialized || view.grantees.length > 0)
      .map((view) => {
        const relation = qualified(view.schema, view.name);
        const name =
          view.schema === schema ? nameInSql(view.name) : `${nameInSql(view.schema)}.${nameInSql(view.name)}`;
        const readers = view.grantees.length === 0 ? 'no role yet' : listed(view.grantees);
        return {
          object: name,
          severity: view.grantees.length === 0 ? 'warning' : 'critical',
          message: `${view.is_materialized ? 'materialized view' : 'view'} ${name} reads ${listed(view.tables.map(nameInSql))} with the privileges of its owner`,
          impact: `every role that may read it (${readers}) sees the rows of every user`,
          fix: view.is_materialized
            ? `revoke select on table ${relation} from ${view.grantees.map(grantee).join(', ')};`
            : `alter view ${relation} set (security_invoker = true);`,
        };
      })
  );
}

interface ImmutableRow {
  readonly signature: string;
  readonly policies: readonly string[];
}

async function readFunctions({ session, schema }: Subject): Promise<readonly FunctionRow[]> {
  const { rows } = await session.query<FunctionRow>(sqlFile('doctor/functions'), [schema]);
  return rows;
}

function named({ schema }: Subject, { word, signature }: FunctionRow): string {
  return `${word} ${quoteIdentifier(schema)}.${signature}`;
}

async function examineSearchPath(subject: Subject): Promise<readonly Fault[]> {
  const functions = await subject.once(readFunctions);
  return functions
    .filter(({ is_pinned: isPinned }) => !isPinned)
    .map((row) => ({
      object: row.signature,
      message: `${row.word} ${row.signature} runs as its owner and has no search_path of its own`,
      impact:
        'its caller decides which tables and functions its names mean, and they run with the privileges of its owner',
      fix: `alter ${named(subject, row)} set search_path = ${quoteIdentifier(subject.schema)}, pg_temp;`,
    }));
}

async function examineForEverybody(subject: Subject): Promise<readonly Fault[]> {
  const functions = await subject.once(readFunctions);
  return functions
    .filter(({ for_public: isForEverybody }) => isForEverybody)
    .map((row) => ({
      object: row.signature,
      message: `${row.word} ${row.signature} runs as its owner, and every role may call it`,
      impact:
        'no policy and no grant restricts what it reads or writes; grant execute to the roles that need it before it is revoked',
      fix: `revoke execute on ${named(subject, row)} from public;`,
    }));
}

async function examineImmutable({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<ImmutableRow>(sqlFile('doctor/immutable-policy-functions'), [schema]);
  return rows.map(({ signature, policies }) => ({
    object: signature,
    message: `function ${signature} reads what depends on the session and is IMMUTABLE; ${policies.length === 1 ? 'the policy that calls it is' : 'the policies that call it are'} ${listed(policies)}`,
    impact:
      'a prepared statement keeps the value of the user for whom it was planned, and shows the rows of that user to the next',
    fix: `alter function ${signature} stable;`,
  }));
}

async function examineShadows({ session, migrations }: Subject): Promise<readonly Fault[]> {
  return shadowFindings(session, migrations.files, migrations);
}

export const LEAK_CHECKS: readonly Check[] = [
  {
    id: 'view-owner-privileges',
    area: 'security',
    severity: 'critical',
    title: 'views without security_invoker, and materialized ones with grants, over tables with row-level security',
    examine: examineViews,
  },
  {
    id: 'definer-search-path',
    area: 'security',
    severity: 'critical',
    title: 'functions that run as their owner (SECURITY DEFINER) without a search_path of their own',
    examine: examineSearchPath,
  },
  {
    id: 'definer-for-public',
    area: 'security',
    severity: 'warning',
    title: 'functions that run as their owner and that every role may execute',
    examine: examineForEverybody,
  },
  {
    id: 'policy-immutable',
    area: 'security',
    severity: 'critical',
    title: 'IMMUTABLE functions in policies that read settings or the user of the session',
    examine: examineImmutable,
  },
  {
    id: 'shadowed',
    area: 'security',
    severity: 'warning',
    title:
      'functions and operators in the schema that are taken in place of built-in ones; critical where another role than the owners has made them',
    examine: examineShadows,
  },
];
