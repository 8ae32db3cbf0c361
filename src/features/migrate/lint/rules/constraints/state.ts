import { stateRule } from '../../rule.js';

export const primaryKeyMissing = stateRule({
  id: 'primary-key-missing',
  severity: 'warning',
  title: 'a table without a primary key',
  impact: 'Rows cannot be named one by one: logical replication refuses updates, and duplicates look all the same.',
  query: 'tables-without-primary-key',
  example: {
    bad: 'create table invoices (number text);\nalter table invoices enable row level security;',
    good: 'create table invoices (number text primary key);\nalter table invoices enable row level security;',
  },
});

export const foreignKeyWithoutIndex = stateRule({
  id: 'foreign-key-without-index',
  severity: 'warning',
  title: 'a foreign key without an index on the referencing columns',
  impact: 'Each delete, and each change of the key, of a referenced row reads the whole referencing table.',
  query: 'foreign-keys-without-index',
  example: {
    before: 'create table customers (id bigint primary key);',
    bad: 'create table invoices (id bigint primary key, customer_id bigint references customers (id));',
    good: 'create table invoices (id bigint primary key, customer_id bigint references customers (id));\ncreate index idx_invoices_customer_id on invoices (customer_id);',
  },
});

export const foreignKeyTypes = stateRule({
  id: 'foreign-key-types',
  severity: 'warning',
  title: 'a foreign key between columns of different types',
  impact: 'Every check converts, and the narrower type overflows one day.',
  query: 'foreign-key-types',
  example: {
    before: 'create table customers (id bigint primary key);',
    bad: 'create table invoices (id bigint primary key, customer_id integer constraint invoices_customer_id_fkey references customers (id));\ncreate index idx_invoices_customer_id on invoices (customer_id);',
    good: 'create table invoices (id bigint primary key, customer_id bigint constraint invoices_customer_id_fkey references customers (id));\ncreate index idx_invoices_customer_id on invoices (customer_id);',
  },
});

export const invalidPartitionedIndex = stateRule({
  id: 'invalid-partitioned-index',
  severity: 'warning',
  title: 'an index ON ONLY a partitioned table that is never attached',
  impact: 'It stays INVALID: no query uses it, and new partitions get a part of it all the same.',
  query: 'invalid-partitioned-indexes',
  example: {
    before:
      'create table events (id bigint, at timestamptz) partition by range (at); create table events_default partition of events default;',
    bad: 'create index idx_events_id on only events (id);',
    good: 'create index idx_events_id on only events (id);\ncreate index events_default_idx_events_id on events_default (id);\nalter index idx_events_id attach partition events_default_idx_events_id;',
  },
});

export const redundantIndex = stateRule({
  id: 'redundant-index',
  severity: 'warning',
  title: 'an index whose columns are the first ones of another',
  impact: 'It costs every write and its place on the disk, and serves no query that the other does not.',
  query: 'redundant-indexes',
  // They are kept for programs that expect them by name.
  onPurpose: [
    'idx_assistant_skills_assistant_id',
    'idx_assistants_user_id',
    'idx_conversations_user_id',
    'idx_files_user_id',
    'idx_messages_conversation_id',
    'idx_messages_archive_conversation_id',
    'idx_skill_definitions_code',
    'idx_system_settings_key',
    'idx_users_email',
    'idx_users_username',
  ],
  example: {
    bad: 'create table invoices (id bigint primary key, customer text, status text);\ncreate index idx_invoices_customer on invoices (customer);\ncreate index idx_invoices_customer_status on invoices (customer, status);',
    good: 'create table invoices (id bigint primary key, customer text, status text);\ncreate index idx_invoices_customer_status on invoices (customer, status);',
  },
});
