import { sql, type RawBuilder } from 'kysely';

import { AisecError } from '../base/errors.js';
import type { AnyDatabase } from './any-database.js';
import { checkDatabase, checkOptions } from './check-arguments.js';
import type { Message } from '../schema/index.js';

export interface MessagePageOptions {
  readonly conversationId: string;
  /** Where the last page ended: its `next`. Default: the newest messages. */
  readonly before?: string | undefined;
  /** How many messages, 1 to 1000. Default: 50. */
  readonly limit?: number;
}

export interface MessageStreamOptions {
  readonly conversationId: string;
  /** How many messages are read at once, 1 to 1000. Default: 200. */
  readonly pageSize?: number;
  /** Ends it with its reason before the next message. A page that is being read ends with the `signal` of withUser. */
  readonly signal?: AbortSignal | undefined;
}

const PAGE_OPTIONS: Readonly<Record<keyof MessagePageOptions, true>> = {
  conversationId: true,
  before: true,
  limit: true,
};
const STREAM_OPTIONS: Readonly<Record<keyof MessageStreamOptions, true>> = {
  conversationId: true,
  pageSize: true,
  signal: true,
};

export interface MessagePage {
  /** The newest first. */
  readonly messages: readonly Message[];
  /** For `before` of the next, older page; null when there is none. */
  readonly next: string | null;
}

interface Row extends Message {
  /** Microseconds since 1970, which a Date does not have, or infinity. */
  readonly position: string;
}

const MOST = 1000;
/** The time of a message and its id, since several may have the same microsecond. */
const CURSOR = /^(-?infinity|-?\d{1,18})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/u;

interface Cursor {
  readonly time: RawBuilder<Date>;
  readonly id: string | null;
}

function readCursor(before: string | undefined): Cursor {
  if (before === undefined) return { time: sql`'infinity'::timestamptz`, id: null };
  const [, time, id] = CURSOR.exec(before) ?? [];
  if (time === undefined || id === undefined)
    throw new AisecError('USAGE', `listMessages: invalid before "${before}"`, {
      hint: 'Give `next` of the last page.',
    });
  if (time.endsWith('infinity')) return { time: sql`${time}::timestamptz`, id };
  // An interval is multiplied as a floating-point number, which holds all microseconds of three centuries only.
  const [hours, rest] = [sql`${time}::bigint / 3600000000`, sql`${time}::bigint % 3600000000`];
  return {
    time: sql`timestamptz 'epoch' + (${hours}) * interval '1 hour' + (${rest}) * interval '1 microsecond'`,
    id,
  };
}

/**
 * One page of a conversation, the newest messages first, live and archived ones alike: by key, so that a page costs the
 * same however far back it is, and no message is shown twice or left out while others are written. Only partitions that
 * hold messages of the page are locked. Messages without a real date (`infinity`) are not shown. Inside of `withUser` it is that user's conversation, and no message of a strange one.
 *
 * @throws AisecError USAGE for a limit out of range and a `before` that is no `next`.
 * @example
 * const { messages, next } = await withUser(db, userId, (trx) => listMessages(trx, { conversationId, before }));
 */
export async function listMessages(db: AnyDatabase, options: MessagePageOptions): Promise<MessagePage> {
  checkDatabase('listMessages', db, 'USAGE');
  checkOptions('listMessages', options, PAGE_OPTIONS, 'USAGE');
  const { conversationId, limit = 50 } = options;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST)
    throw new AisecError('USAGE', `listMessages: limit is ${limit}`, {
      hint: `It is a whole number from 1 to ${MOST}.`,
    });
  const { time, id } = readCursor(options.before);
  const { rows } = await sql<Row>`
    select
      *,
      case
        when isfinite(created_at) then (extract(epoch from created_at) * 1000000)::bigint::text
        when created_at > 'epoch' then 'infinity'
        else '-infinity'
      end as position
    from conversation_messages(${conversationId}, ${time}, ${id}::uuid, ${limit + 1}::integer)
  `.execute(db.withoutPlugins());
  const found = rows.slice(0, limit).map(({ position, ...message }) => ({ position, message }));
  const last = found.at(-1);
  return {
    messages: found.map(({ message }) => message),
    next: rows.length > limit && last !== undefined ? `${last.position}_${last.message.id}` : null,
  };
}

/**
 * All messages of a conversation, the newest first, read page by page. Leave it whenever enough was seen: nothing is
 * open on the server between two pages but the transaction it runs in.
 *
 * @example
 * await withUser(db, userId, async (trx) => {
 *   for await (const message of streamMessages(trx, { conversationId })) await write(message);
 * });
 */
export async function* streamMessages(
  db: AnyDatabase,
  options: MessageStreamOptions,
): AsyncGenerator<Message, void, undefined> {
  checkOptions('streamMessages', options, STREAM_OPTIONS, 'USAGE');
  const { conversationId, pageSize = 200, signal } = options;
  let before: string | undefined;
  do {
    signal?.throwIfAborted();
    const page = await listMessages(db, { conversationId, before, limit: pageSize });
    for (const message of page.messages) {
      signal?.throwIfAborted();
      yield message;
    }
    before = page.next ?? undefined;
  } while (before !== undefined);
}
