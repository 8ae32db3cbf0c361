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

export const piiClassMissing = stateRule({
  id: 'pii-class-missing',
  severity: 'notice',
  title: "a text column on a user's table without a masking class",
  impact:
    'A copy of the database for tests or support has to mask what users wrote, and a program cannot know where it is. Say it in the comment of the column: `pii: none`, name, email, phone, address, secret, or text (anything a user may have written).',
  query: 'columns-without-pii',
  isForOwn: true,
  example: {
    before:
      "create table users (id bigint primary key, email text); comment on column users.email is 'pii: email'; create table invoices (id bigint primary key, user_id bigint references users (id));",
    bad: 'alter table invoices add column recipient text;',
    good: "alter table invoices add column recipient text;\ncomment on column invoices.recipient is 'Whom it is sent to. pii: name';",
  },
});
