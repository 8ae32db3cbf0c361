import { conversationOf, turnsOf, type Conversation, type Turn } from './conversation.js';
import { timestamp, type DemoPlan } from './plan.js';
import { demoTable, type DemoRow, type DemoTable } from './table.js';

const MESSAGES_A_FILE = 40;
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  txt: 'text/plain',
  md: 'text/markdown',
  mp3: 'audio/mpeg',
  jpg: 'image/jpeg',
};

function conversationWith({ firstMessages, options }: DemoPlan, message: number): number {
  let low = 0;
  let high = options.conversations - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((firstMessages[middle] ?? 0) <= message) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface Place {
  readonly conversation: Conversation;
  /** The message with the file. */
  readonly turn: Turn;
}

/**
 * Where the files go, in their order: to the last message of the user up to one drawn at random, since it is people who
 * send files, or to the first of the conversation. Each conversation is walked once, however many files it has.
 */
function* placesOf(plan: DemoPlan, count: number): Generator<Place> {
  let conversation: Conversation | undefined;
  let turns: Generator<Turn, undefined> | undefined;
  let next: Turn | undefined;
  let turn: Turn | undefined;
  for (let index = 0; index < count; index += 1) {
    const share = (index + plan.random('file place', index).fraction()) / count;
    const message = Math.floor(share * plan.options.messages);
    const holder = conversationWith(plan, message);
    if (conversation?.index !== holder) {
      conversation = conversationOf(plan, holder);
      turns = turnsOf(plan, conversation);
      next = turns.next().value;
      turn = next;
    }
    while (next !== undefined && next.message <= message) {
      if (next.role === 'user') turn = next;
      next = turns?.next().value;
    }
    if (turn === undefined) throw new Error(`message ${message} is not in conversation ${holder}`);
    yield { conversation, turn };
  }
}

function fileRow(plan: DemoPlan, { conversation, turn }: Place, index: number): DemoRow<'files'> {
  const random = plan.random('file', index);
  const created = timestamp(turn.createdMs);
  const [stem = '', extension = ''] = random.pick(conversation.topic.files).split('.');
  const id = plan.id('files', index);
  return {
    id,
    user_id: plan.id('users', conversation.user),
    conversation_id: plan.id('conversations', conversation.index),
    message_id: plan.id('messages', turn.message),
    file_name: `${stem}_${created.slice(0, 10)}.${extension}`,
    file_type: extension,
    file_size: Math.floor(2000 * Math.exp(random.between(0, 7))),
    storage_path: `demo/${id.slice(0, 2)}/${id}.${extension}`,
    mime_type: MEDIA_TYPES[extension] ?? 'application/octet-stream',
    is_processed: random.chance(0.9),
    metadata: JSON.stringify({ demo: true, pages: 1 + random.below(30) }),
    created_at: created,
    updated_at: created,
  };
}

function* fileRows(plan: DemoPlan, count: number): Generator<DemoRow<'files'>> {
  let index = 0;
  for (const place of placesOf(plan, count)) {
    yield fileRow(plan, place, index);
    index += 1;
  }
}

/** Files that users have attached to messages. */
export function fileTable(plan: DemoPlan): DemoTable {
  const count = Math.ceil(plan.options.messages / MESSAGES_A_FILE);
  return demoTable({ table: 'files', count, rows: () => fileRows(plan, count) });
}
