import { stateRule } from '../../rule.js';

const PROTECTED = 'alter table invoices enable row level security;';

export const rowSecurityMissing = stateRule({
  id: 'row-security-missing',
  severity: 'critical',
  title: 'a table or partition without row-level security',
  impact:
    'Every role that is granted the table sees and writes the rows of every user. Enable it also where no role is granted anything: a later GRANT then shows nothing until a policy says what.',
  query: 'tables-without-row-security',
  example: {
    bad: 'create table invoices (id bigint primary key);',
    good: `create table invoices (id bigint primary key);\n${PROTECTED}`,
  },
});

export const rowSecurityWithoutPolicy = stateRule({
  id: 'row-security-without-policy',
  severity: 'warning',
  title: 'a granted table with row-level security and no policy',
  impact: 'Every query of the role finds no row, and every insert fails, without a word about why.',
  query: 'row-security-without-policy',
  example: {
    before: 'create role reporting_example nologin;',
    bad: `create table invoices (id bigint primary key);\n${PROTECTED}\ngrant select on invoices to reporting_example;`,
    good: `create table invoices (id bigint primary key);\n${PROTECTED}\ngrant select on invoices to reporting_example;\ncreate policy invoices_read on invoices for select to reporting_example using (id > 0);`,
  },
});

export const policyAlwaysTrue = stateRule({
  id: 'policy-always-true',
  severity: 'critical',
  title: 'a policy that lets a role write every row',
  impact: 'USING (true) or WITH CHECK (true) on a write is row-level security in name only.',
  query: 'policies-always-true',
  example: {
    bad: `create table invoices (id bigint primary key);\n${PROTECTED}\ncreate policy invoices_write on invoices for all using (true);`,
    good: `create table invoices (id bigint primary key);\n${PROTECTED}\ncreate policy invoices_read on invoices for select using (true);`,
  },
});

export const grantOnPartition = stateRule({
  id: 'grant-on-partition',
  severity: 'critical',
  title: 'a privilege on a partition',
  impact:
    'A query that names the partition meets its own policies, not those of the partitioned table: a role reads the rows of all users in it. Grant on the partitioned table only.',
  query: 'granted-partitions',
  example: {
    before:
      'create role reporting_example nologin; create table events (id bigint, at timestamptz) partition by range (at); create table events_default partition of events default;',
    bad: 'grant select on events_default to reporting_example;',
    good: 'revoke all on events_default from reporting_example;',
  },
});

export const secretGranted = stateRule({
  id: 'secret-granted',
  severity: 'critical',
  title: 'a privilege to read a column that holds a password, key or secret',
  impact:
    'A leak of one query gives all hashes away. Grant the other columns one by one, as the bundled migrations do with users.',
  query: 'granted-secrets',
  example: {
    before: 'create role reporting_example nologin; create table accounts (id bigint primary key, password_hash text);',
    bad: 'grant select on accounts to reporting_example;',
    good: 'grant select (id) on accounts to reporting_example;',
  },
});
