import { stateRule } from '../../rule.js';

export const commentMissing = stateRule({
  id: 'comment-missing',
  severity: 'notice',
  title: 'a table, view or column without a comment',
  impact: 'Only its author knows what it holds. The types that aisec writes have the comments, too.',
  query: 'missing-comments',
  isOnePerTable: true,
  example: {
    bad: 'create table invoices (id bigint primary key);',
    good: "create table invoices (id bigint primary key);\ncomment on table invoices is 'Invoices.';\ncomment on column invoices.id is 'Identifier.';",
  },
});
