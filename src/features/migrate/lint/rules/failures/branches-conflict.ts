import type { BranchRule } from '../../rule.js';

export const branchesConflict: BranchRule = {
  kind: 'branch',
  id: 'branches-conflict',
  severity: 'critical',
  title: 'migrations of two branches whose order matters (with `--against BRANCH`)',
  impact:
    'A database that has the one branch already and one that is made again would differ, or the second branch to be merged does not run. Take the other branch in first, then write this migration for what it leaves.',
  example: {
    before: 'create table invoices (id bigint primary key, status text);',
    theirs: "alter table invoices alter column status set default 'new';",
    bad: "alter table invoices alter column status set default 'open';",
    good: 'alter table invoices add column paid_at timestamptz;',
  },
};
