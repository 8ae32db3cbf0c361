import { below } from '../../../../../adapters/sql-parser/nodes.js';
import { LOCK_MODES } from '../../../effects/lock-modes.js';
import { stateRule, statementRule } from '../../rule.js';

export const archiveDiffers = stateRule({
  id: 'archive-differs',
  severity: 'critical',
  title: 'a change of messages that messages_archive does not get',
  impact:
    'Months move from one to the other by ATTACH, which needs equal columns, checks and indexes: the next run of `aisec archive` fails, at night.',
  query: 'archive-differences',
  example: {
    needsPlatform: true,
    bad: 'alter table messages add column language text;',
    good: '-- aisec-ignore wide-lock: archive runs when nothing else does\nalter table messages add column language text;\n-- aisec-ignore wide-lock: both must change at once\nalter table messages_archive add column language text;',
  },
});

const MESSAGES = /^messages(?:_archive)?(?:_y\d{4}m\d\d|_default)?$/;

export const foreignKeyToMessages = statementRule({
  id: 'foreign-key-to-messages',
  severity: 'critical',
  title: 'a foreign key to messages instead of message_keys',
  impact:
    'messages has no unique key on id alone, and a key that points at a partition keeps its month from being archived. message_keys has one row for every message, live or archived.',
  example: {
    needsPlatform: true,
    isRefused: true,
    bad: 'create table reactions (message_id uuid primary key constraint reactions_message_id_fkey references messages (id) on delete cascade);',
    good: 'create table reactions (message_id uuid primary key constraint reactions_message_id_fkey references message_keys (id) on delete cascade);',
  },
  check: (statement) =>
    below('Constraint', statement.tree).flatMap(({ contype, pktable, conname }) => {
      const target = pktable?.relname ?? '';
      if (contype !== 'CONSTR_FOREIGN' || !MESSAGES.test(target)) return [];
      return {
        object: conname ?? target,
        message: `a foreign key refers to ${target}`,
        fix: [
          {
            sql: `${statement.text.replace(new RegExp(`\\breferences\\s+(?:\\w+\\.)?${target}\\s*(?:\\([^)]*\\))?`, 'i'), 'references message_keys (id)')};`,
          },
        ],
      };
    }),
});

/** The order in which the functions of the schema lock them: docs/architecture.md. */
const ORDER = ['messages', 'messages_archive', 'message_keys'];
const STRONG = LOCK_MODES.slice(LOCK_MODES.indexOf('ShareRowExclusiveLock'));

export const lockOrder = statementRule({
  id: 'lock-order',
  severity: 'warning',
  title: 'messages, messages_archive and message_keys locked in another order',
  impact:
    'The functions of the schema lock messages first, then messages_archive, then message_keys. Another order ends in deadlocks with the services: 309 were measured.',
  example: {
    needsPlatform: true,
    bad: 'lock table message_keys in access exclusive mode;\n-- aisec-ignore wide-lock: both are short\nlock table messages in access exclusive mode;',
    good: 'lock table messages in access exclusive mode;',
  },
  check: (statement, { effects, effectsBefore }) => {
    if (effects === undefined || statement.isNested) return [];
    const strong = (all: readonly { readonly root: string; readonly mode: string }[]): readonly string[] =>
      all.filter(({ mode }) => (STRONG as readonly string[]).includes(mode)).map(({ root }) => root);
    const held = strong(effectsBefore.flatMap(({ locks }) => locks)).map((root) => ORDER.indexOf(root));
    const latest = Math.max(-1, ...held);
    const early = ORDER.slice(0, Math.max(0, latest)).find(
      (root) => strong(effects.locks).includes(root) && !held.includes(ORDER.indexOf(root)),
    );
    if (early === undefined) return [];
    return {
      object: early,
      message: `${early} is locked after ${ORDER[latest] ?? ''}`,
      fix: [{ sql: `${statement.text};` }],
    };
  },
});

export const cacheTriggers = stateRule({
  id: 'cache-trigger',
  severity: 'critical',
  title: 'a cached table whose changes are not sent to the caches',
  impact:
    'Services keep answering with old rows of system_settings, user_preferences or assistants until their entries expire.',
  query: 'cache-triggers',
  example: {
    needsPlatform: true,
    bad: '-- aisec-ignore trigger-disabled: writes too often\nalter table assistants disable trigger notify_cache_update;',
    good: 'alter table assistants enable always trigger notify_cache_update;',
  },
});

export const erasureBlocked = stateRule({
  id: 'erasure-blocked',
  severity: 'warning',
  title: 'a foreign key without an action that keeps a user from being deleted',
  impact:
    'Deleting a user, as the law may demand, fails on the first row that refers to what is theirs. Say ON DELETE CASCADE or SET NULL.',
  query: 'erasure-blockers',
  // Bundled keys: their rows are deleted from the far end.
  onPurpose: [
    'api_usage_secretary_id_fkey',
    'conversations_assistant_id_fkey',
    'files_conversation_id_fkey',
    'knowledge_base_secretary_id_fkey',
    'user_preferences_default_assistant_id_fkey',
  ],
  example: {
    needsPlatform: true,
    bad: 'create table invoices (id bigint primary key, user_id uuid constraint invoices_user_id_fkey references users (id));\ncreate index idx_invoices_user_id on invoices (user_id);\nalter table invoices enable row level security;',
    good: 'create table invoices (id bigint primary key, user_id uuid constraint invoices_user_id_fkey references users (id) on delete cascade);\ncreate index idx_invoices_user_id on invoices (user_id);\nalter table invoices enable row level security;',
  },
});
