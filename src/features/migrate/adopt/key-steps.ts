import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { boundedName } from '../../../base/bounded-name.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { rebuildKeys } from '../../messages/index.js';
import { newTrigger, wholeTable } from '../drift/fix/missing.js';

import type { AdoptFacts, Reference } from './facts.js';
import { BRIEF_MS, RATES, type AdoptStep, type StepWork } from './step.js';

/** Until messages is partitioned, its foreign keys to message_keys stand beside those to messages, under these names. */
const NEW_SUFFIX = '_adopt';
/** What becomes the primary key of the default partition. */
export const KEY_INDEX = 'messages_adopt_key';

export interface NewReference {
  /** The foreign key to messages that it replaces. */
  readonly old: Reference;
  /** Quoted. */
  readonly newName: string;
  readonly definition: string;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** The same foreign keys, to message_keys: as the migrations have them, or, of other tables, with their own actions. */
export function newReferences({ references, wanted }: AdoptFacts): readonly NewReference[] {
  return references.map((old) => {
    const ours = wanted.constraints.find(
      (constraint) => constraint.table === unquoted(old.table) && constraint.name === unquoted(old.name),
    );
    const definition =
      ours === undefined
        ? old.definition.replace(/ REFERENCES \S+?\(id\)/, ' REFERENCES message_keys(id)').replace(/ NOT VALID$/, '')
        : `${ours.definition}${ours.deferrable ? ' deferrable' : ''}${ours.initiallyDeferred ? ' initially deferred' : ''}`;
    const newName = quoteIdentifier(boundedName(unquoted(old.name), { suffix: NEW_SUFFIX }));
    return { old, newName, definition };
  });
}

function keyTable({ wanted }: AdoptFacts): (typeof wanted.tables)[number] | undefined {
  return wanted.tables.find(({ name: table }) => table === 'message_keys');
}

/**
 * One key for each message, in one transaction: filled before it has indexes, which is three times as fast. Messages that
 * are written meanwhile are left to the comparison.
 */
async function loadKeys(session: Session, facts: AdoptFacts): Promise<void> {
  const table = keyTable(facts);
  if (table === undefined) throw new Error('the migrations make no message_keys');
  const [create = '', ...rest] = wholeTable(table, facts);
  await withTransaction(session, async () => {
    await session.query('set local row_security to off; set local lock_timeout to 0');
    await session.query(create);
    await session.query(
      'insert into message_keys (id, created_at, parent_id) select id, created_at, parent_id from messages',
    );
    for (const statement of rest) await session.query(statement);
  });
  await session.query('analyze message_keys');
}

function keyTriggers({ wanted, live }: AdoptFacts): readonly string[] {
  const there = new Set(live.triggers.filter(({ table }) => table === 'messages').map(({ name: trigger }) => trigger));
  return wanted.triggers
    .filter(({ table, name: trigger }) => table === 'messages' && !there.has(trigger))
    .flatMap(newTrigger);
}

async function equalizeKeys(
  session: Session,
  { schema }: AdoptFacts,
  { maxWaitMs, onProgress }: StepWork,
): Promise<void> {
  await rebuildKeys(session, { schema, isDryRun: false, waitMs: 0, maxWaitMs, isAtOnce: true }, { onProgress });
}

function referenceSteps(facts: AdoptFacts, rows: number): readonly AdoptStep[] {
  const there = new Set<string>(facts.live.constraints.map(({ name: constraint }) => quoteIdentifier(constraint)));
  const valid = new Set<string>(
    facts.live.constraints
      .filter(({ validated }) => validated)
      .map(({ name: constraint }) => quoteIdentifier(constraint)),
  );
  const all = newReferences(facts);
  const missing = all.filter(({ newName }) => !there.has(newName));
  const add = missing.map(({ old, newName, definition }): AdoptStep => ({
    kind: 'transaction',
    phase: 'keys',
    what: `${unquoted(old.name)} of ${unquoted(old.table)} to message_keys, beside the one to messages, not validated yet`,
    locks: [
      { table: unquoted(old.table), mode: 'share row exclusive', held: 'moment' },
      { table: 'message_keys', mode: 'share row exclusive', held: 'moment' },
    ],
    expectedMs: BRIEF_MS,
    statements: [`alter table ${old.table} add constraint ${newName} ${definition} not valid`],
  }));
  const validate = all
    .filter(({ newName }) => !valid.has(newName))
    .map(({ old, newName }): AdoptStep => ({
      kind: 'alone',
      phase: 'keys',
      what: `validate it on ${unquoted(old.table)}`,
      locks: [{ table: unquoted(old.table), mode: 'share update exclusive', held: 'work' }],
      expectedMs: Math.round(
        BRIEF_MS + ((facts.tables.get(unquoted(old.table))?.row_estimate ?? rows) / RATES.validate) * 1000,
      ),
      statements: [`alter table ${old.table} validate constraint ${newName}`],
    }));
  return [...add, ...validate];
}

/** message_keys with a row for each message that is there now. Before all that refers to it. */
export function loadSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const hasKeys = facts.live.tables.some(({ name: table }) => table === 'message_keys');
  if (facts.messages !== 'plain' || hasKeys) return [];
  const rows = facts.tables.get('messages')?.row_estimate ?? 0;
  return [
    {
      kind: 'work',
      phase: 'keys',
      what: 'message_keys with a key for each message',
      locks: [],
      expectedMs: Math.round(BRIEF_MS + (rows / RATES.keys) * 1000),
      statements: [
        'insert into message_keys (id, created_at, parent_id) select id, created_at, parent_id from messages',
      ],
      run: (session) => loadKeys(session, facts),
    },
  ];
}

/** The triggers of message_keys, and the foreign keys that point to it. */
export function keySteps(facts: AdoptFacts): readonly AdoptStep[] {
  if (facts.messages !== 'plain') return [];
  const rows = facts.tables.get('messages')?.row_estimate ?? 0;
  const triggers = keyTriggers(facts);
  const seconds = (rate: number): number => Math.round(BRIEF_MS + (rows / rate) * 1000);
  const watch: AdoptStep = {
    kind: 'transaction',
    phase: 'keys',
    what: 'triggers that keep message_keys',
    locks: [{ table: 'messages', mode: 'share row exclusive', held: 'moment' }],
    expectedMs: BRIEF_MS,
    statements: triggers,
  };
  return [
    ...(triggers.length === 0 ? [] : [watch]),
    {
      kind: 'work',
      phase: 'keys',
      what: 'compare message_keys with messages, and correct what was written meanwhile',
      locks: [],
      expectedMs: seconds(RATES.compareKeys),
      statements: [],
      run: (session, work) => equalizeKeys(session, facts, work),
    },
    {
      kind: 'alone',
      phase: 'keys',
      what: 'unique index on messages (id, created_at)',
      locks: [{ table: 'messages', mode: 'share update exclusive', held: 'work' }],
      expectedMs: seconds(RATES.index),
      statements: [`create unique index concurrently if not exists ${KEY_INDEX} on messages (id, created_at)`],
      index: KEY_INDEX,
    },
    ...referenceSteps(facts, rows),
  ];
}
