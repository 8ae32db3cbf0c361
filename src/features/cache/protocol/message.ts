/** A change that the triggers notify_cache_… announce. `users` undefined: rows of any user. */
export interface ChangeMessage {
  readonly kind: 'change';
  readonly table: string;
  readonly users: readonly string[] | undefined;
}

/** Asks for the epoch of one life of Redis. */
export interface HelloMessage {
  readonly kind: 'hello';
  readonly id: string;
  readonly run: string;
}

/** The answer to it. */
export interface WelcomeMessage {
  readonly kind: 'welcome';
  readonly id: string;
  readonly epoch: string;
}

/** From here on another epoch is in force. */
export interface EpochMessage {
  readonly kind: 'epoch';
  readonly epoch: string;
  readonly run: string;
}

export type CacheMessage = ChangeMessage | HelloMessage | WelcomeMessage | EpochMessage;

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';

/** Reads what was heard; undefined for what is none of ours: anybody may NOTIFY. */
export function parseMessage(text: string): CacheMessage | undefined {
  let fields: Fields;
  try {
    fields = JSON.parse(text) as Fields;
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { table, users, hello, welcome, epoch, run } = fields;
  if (isText(table)) return { kind: 'change', table, users: Array.isArray(users) ? users.filter(isText) : undefined };
  if (isText(hello) && isText(run)) return { kind: 'hello', id: hello, run };
  if (isText(welcome) && isText(epoch)) return { kind: 'welcome', id: welcome, epoch };
  if (isText(epoch) && isText(run)) return { kind: 'epoch', epoch, run };
  return undefined;
}

/** What the triggers would say. */
export const changeMessage = (table: string, userId: string | undefined): object =>
  userId === undefined ? { table } : { table, users: [userId] };
export const helloMessage = (id: string, run: string): object => ({ hello: id, run });
export const welcomeMessage = (id: string, epoch: string): object => ({ welcome: id, epoch });
export const epochMessage = (epoch: string, run: string): object => ({ epoch, run });
