import type { CatalogConstraint } from '../../../adapters/catalog/catalog.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { boundedName } from '../../../base/bounded-name.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { rebuildKeys } from '../../messages/index.js';
import { newTrigger, wholeTable } from '../drift/fix/missing.js';
import { rowsOf, type AdoptFacts, type Reference } from './facts.js';
import { brieflyLocked, briefStep, RATES, workMs, type AdoptStep } from './step.js';

/** Until messages is partitioned, its foreign keys to message_keys stand beside those to messages, under these names. */
const NEW_SUFFIX = '_adopt';
/** What becomes the primary key of the default partition. */
export const KEY_INDEX = 'messages_adopt_key';

const FILL_KEYS = 'insert into message_keys (id, created_at, parent_id) select id, created_at, parent_id from messages';

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

/**
 * One key for each message, in one transaction: filled before it has indexes, which is three times as fast. Messages that
 * are written meanwhile are left to the comparison.
 */
async function loadKeys(session: Session, facts: AdoptFacts): Promise<void> {
  const table = facts.wanted.tables.find(({ name }) => name === 'message_keys');
  if (table === undefined) throw new Error('the migrations make no message_keys');
  const [create = '', ...rest] = wholeTable(table, facts);
  await withTransaction(session, async () => {
    await session.query('set local row_security to off; set local lock_timeout to 0');
    await session.query(create);
    await session.query(FILL_KEYS);
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

function referenceSteps(facts: AdoptFacts, rows: number): readonly AdoptStep[] {
  const namesOf = (constraints: readonly CatalogConstraint[]): ReadonlySet<string> =>
    new Set(constraints.map(({ name }) => quoteIdentifier(name)));
  const there = namesOf(facts.live.constraints);
  const valid = namesOf(facts.live.constraints.filter(({ validated }) => validated));
  const all = newReferences(facts);
  const missing = all.filter(({ newName }) => !there.has(newName));
  const add = missing.flatMap(({ old, newName, definition }) =>
    briefStep(
      'keys',
      `${unquoted(old.name)} of ${unquoted(old.table)} to message_keys, beside the one to messages, not validated yet`,
      [`alter table ${old.table} add constraint ${newName} ${definition} not valid`],
      [brieflyLocked(unquoted(old.table), 'share row exclusive'), brieflyLocked('message_keys', 'share row exclusive')],
    ),
  );
  const validate = all
    .filter(({ newName }) => !valid.has(newName))
    .map(({ old, newName }): AdoptStep => ({
      kind: 'alone',
      phase: 'keys',
      what: `validate it on ${unquoted(old.table)}`,
      locks: [{ table: unquoted(old.table), mode: 'share update exclusive', held: 'work' }],
      expectedMs: workMs(facts.tables.get(unquoted(old.table))?.row_estimate ?? rows, RATES.validate),
      statements: [`alter table ${old.table} validate constraint ${newName}`],
    }));
  return [...add, ...validate];
}

/** message_keys with a row for each message that is there now. Before all that refers to it. */
export function loadSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const hasKeys = facts.live.tables.some(({ name: table }) => table === 'message_keys');
  if (facts.messages !== 'plain' || hasKeys) return [];
  return [
    {
      kind: 'work',
      phase: 'keys',
      what: 'message_keys with a key for each message',
      locks: [],
      expectedMs: workMs(rowsOf(facts, 'messages'), RATES.keys),
      statements: [FILL_KEYS],
      run: (session) => loadKeys(session, facts),
    },
  ];
}

/** The triggers of message_keys, and the foreign keys that point to it. */
export function keySteps(facts: AdoptFacts): readonly AdoptStep[] {
  if (facts.messages !== 'plain') return [];
  const { schema } = facts;
  const rows = rowsOf(facts, 'messages');
  return [
    ...briefStep('keys', 'triggers that keep message_keys', keyTriggers(facts), [
      brieflyLocked('messages', 'share row exclusive'),
    ]),
    {
      kind: 'work',
      phase: 'keys',
      what: 'compare message_keys with messages, and correct what was written meanwhile',
      locks: [],
      expectedMs: workMs(rows, RATES.compareKeys),
      statements: [],
      run: async (session, { maxWaitMs, onProgress }) => {
        await rebuildKeys(session, { schema, isDryRun: false, waitMs: 0, maxWaitMs, isAtOnce: true }, { onProgress });
      },
    },
    {
      kind: 'alone',
      phase: 'keys',
      what: 'unique index on messages (id, created_at)',
      locks: [{ table: 'messages', mode: 'share update exclusive', held: 'work' }],
      expectedMs: workMs(rows, RATES.index),
      statements: [`create unique index concurrently if not exists ${KEY_INDEX} on messages (id, created_at)`],
      index: KEY_INDEX,
    },
    ...referenceSteps(facts, rows),
  ];
}
