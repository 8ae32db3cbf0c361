import { all, contains, statementOf, walk } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { stateRule, statementRule } from '../../rule.js';
import { droppedRelations } from '../../relation-names.js';

export const viewSecurityInvoker = stateRule({
  id: 'view-security-invoker',
  severity: 'critical',
  title: 'a view without security_invoker',
  impact:
    'It reads as its owner, whom no policy holds back: every role that may query the view sees the rows of all users.',
  query: 'views-without-security-invoker',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'create view open_invoices as select id from invoices;',
    good: 'create view open_invoices with (security_invoker = true) as select id from invoices;',
  },
});

export const viewReplacedByDrop = statementRule({
  id: 'view-dropped-and-created',
  severity: 'warning',
  title: 'DROP VIEW and CREATE VIEW of the same name',
  impact:
    'Privileges, comments and security_invoker of the old view are lost. CREATE OR REPLACE VIEW keeps the first two; it can add columns at the end.',
  example: {
    before:
      'create table invoices (id bigint primary key, note text); create view open_invoices with (security_invoker = true) as select id from invoices;',
    bad: 'drop view open_invoices;\ncreate view open_invoices with (security_invoker = true) as select id, note from invoices;',
    fixReplacesAll: true,
    good: 'create or replace view open_invoices with (security_invoker = true) as select id, note from invoices;',
  },
  check: (statement, { existing, statements }) => {
    if (statementOf('DropStmt', statement)?.removeType !== 'OBJECT_VIEW') return [];
    return droppedRelations(statement).flatMap(({ relname = '', ...schema }) => {
      const made = statements.find((other) => statementOf('ViewStmt', other)?.view?.relname === relname);
      if (made === undefined || existing({ relname, ...schema }) === undefined) return [];
      return {
        object: relname,
        message: `view ${nameInSql(relname)} is dropped and created again`,
        fix: [{ sql: `${made.text.replace(/^create\s+view\b/i, 'create or replace view')};` }],
      };
    });
  },
});

export const definerSearchPath = stateRule({
  id: 'definer-search-path',
  severity: 'critical',
  title: 'a SECURITY DEFINER function that does not pin its search_path',
  impact:
    'The role that calls it decides which tables and functions its names mean, and it works on them with the privileges of its owner.',
  query: 'definer-search-paths',
  example: {
    bad: 'create function total() returns bigint language sql security definer return 1;\nrevoke execute on function total() from public;',
    good: 'create function total() returns bigint language sql security definer set search_path from current return 1;\nrevoke execute on function total() from public;',
  },
});

export const definerForPublic = stateRule({
  id: 'definer-for-public',
  severity: 'critical',
  title: 'a SECURITY DEFINER function that every role may execute',
  impact:
    'PUBLIC may execute each new function, and this one works with the privileges of its owner. A trigger function can be put on a table of the caller.',
  query: 'definer-for-public',
  example: {
    bad: 'create function total() returns bigint language sql security definer set search_path from current return 1;',
    good: 'create function total() returns bigint language sql security definer set search_path from current return 1;\nrevoke execute on function total() from public;',
  },
});

/** They are computed once, or cost nothing. */
const CHEAP = new Set(['now', 'coalesce', 'lower', 'upper']);

export const policyCallPerRow = statementRule({
  id: 'policy-call-per-row',
  severity: 'warning',
  title: 'a policy that calls a function for every row',
  impact:
    'A call without a column of the row gives the same each time: in a sub-select the server makes it once a statement. Measured over a million rows: 46 ms instead of 867.',
  example: {
    before: 'create table invoices (id bigint primary key, owner text);',
    bad: "create policy invoices_read on invoices for select using (owner = current_setting('app.owner', true));",
    good: "create policy invoices_read on invoices for select using (owner = (select current_setting('app.owner', true)));",
  },
  check: (statement) => {
    const policy = statementOf('CreatePolicyStmt', statement);
    const calls: string[] = [];
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) return value.forEach(visit);
      if (typeof value !== 'object' || value === null) return;
      for (const [key, child] of Object.entries(value as Readonly<Record<string, unknown>>)) {
        if (key === 'SubLink') continue;
        const { funcname } = child as { readonly funcname?: Parameters<typeof all>[1] };
        const name = key === 'FuncCall' ? all('String', funcname).at(-1)?.sval : undefined;
        if (name !== undefined && !CHEAP.has(name) && !contains(child, 'ColumnRef')) calls.push(name);
        visit(child);
      }
    };
    visit(policy?.qual);
    return [...new Set(calls)].map((name) => ({
      object: policy?.policy_name ?? name,
      message: `policy ${nameInSql(policy?.policy_name ?? '')} calls ${name}() for every row`,
      fix: [
        {
          sql: `${statement.text.replaceAll(new RegExp(`(?<!select\\s)\\b(?:\\w+\\.)?${name}\\s*\\([^()]*\\)`, 'gi'), (call) => `(select ${call})`)};`,
        },
      ],
    }));
  },
});

export const settingLeaks = statementRule({
  id: 'setting-leaks',
  severity: 'warning',
  title: 'set_config for the session, not the transaction',
  impact:
    'It holds for the rest of the session, which a pool hands on. With true as the third argument it ends with the transaction.',
  example: {
    bad: "select set_config('app.owner', 'a', false);",
    good: "select set_config('app.owner', 'a', true);",
  },
  check: (statement) => {
    if (statement.node !== 'SelectStmt') return [];
    let isFound = false;
    walk(statement.tree, (name, tree) => {
      const call =
        name === 'FuncCall'
          ? (tree as {
              funcname?: Parameters<typeof all>[1];
              args?: readonly { readonly A_Const?: { readonly boolval?: { readonly boolval?: boolean } } }[];
            })
          : undefined;
      const last = call?.args?.[2]?.A_Const?.boolval;
      if (all('String', call?.funcname).at(-1)?.sval === 'set_config' && last !== undefined && last.boolval !== true)
        isFound = true;
    });
    if (!isFound) return [];
    return {
      object: 'set_config',
      message: 'set_config changes a setting of the whole session',
      fix: [{ sql: `${statement.text.replace(/,\s*false\s*\)/i, ', true)')};` }],
    };
  },
});
