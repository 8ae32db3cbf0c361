import type { CopyRow } from '../../../adapters/postgres/copy.js';
import { conversationOf, turnsOf, type Conversation, type Turn } from './conversation.js';
import { fillIn } from './fill-in.js';
import { timestamp, type DemoPlan } from './plan.js';
import type { Random } from '../../../base/random.js';
import { DAY_MS } from './rhythm.js';
import { numberedRows, type DemoTable } from './table.js';

const DEMO = '{"demo": true}';

function conversationRow(plan: DemoPlan, index: number): CopyRow {
  const { texts, window } = plan;
  const conversation = conversationOf(plan, index);
  const { topic, subject, startedMs, hasVoice } = conversation;
  const random = plan.random('title', index);
  let endedMs = startedMs;
  for (const { createdMs } of turnsOf(plan, conversation)) endedMs = createdMs;
  const isOpen = endedMs > window.untilMs - 2 * DAY_MS;
  const status = isOpen ? 'active' : random.chance(0.3) ? 'archived' : 'completed';
  return [
    plan.id('conversations', index),
    plan.id('users', conversation.user),
    plan.id('assistants', conversation.assistant),
    fillIn(random.pick(topic.titles), texts, subject, random),
    hasVoice ? 'voice' : 'chat',
    status,
    hasVoice,
    hasVoice ? plan.id('voices', random.below(texts.voices.length)) : null,
    JSON.stringify({ demo: true, topic: topic.code }),
    timestamp(startedMs),
    isOpen ? null : timestamp(endedMs),
    timestamp(startedMs),
    timestamp(endedMs),
  ];
}

function contentOf(
  { texts }: DemoPlan,
  { topic, subject }: Conversation,
  { role, parent }: Turn,
  random: Random,
): string {
  const say = (choice: readonly string[]): string => fillIn(random.pick(choice), texts, subject, random);
  switch (role) {
    case 'system':
      return fillIn(texts.system, texts, subject, random);
    case 'tool':
      return say(topic.toolResults);
    case 'assistant':
      return random.chance(0.3) ? `${say(topic.answers)}\n\n${say(topic.answers)}` : say(topic.answers);
    case 'user':
      return parent === undefined || random.chance(0.4) ? say(topic.questions) : say(topic.replies);
  }
}

/** Whole conversations, one after another in the order they began: nearly, not quite, the order of time. */
function* messageRows(plan: DemoPlan): Generator<CopyRow> {
  for (let index = 0; index < plan.options.conversations; index += 1) {
    const conversation = conversationOf(plan, index);
    const conversationId = plan.id('conversations', index);
    const random = plan.random('content', index);
    for (const turn of turnsOf(plan, conversation)) {
      const { message, role, createdMs, parent } = turn;
      const spoken = conversation.hasVoice && role === 'user';
      yield [
        plan.id('messages', message),
        conversationId,
        role,
        contentOf(plan, conversation, turn, random),
        role === 'tool' ? 'json' : spoken ? 'audio' : 'text',
        parent === undefined ? null : plan.id('messages', parent),
        role === 'assistant' ? `{"demo": true, "tokens": ${50 + random.below(900)}}` : DEMO,
        timestamp(createdMs),
      ];
    }
  }
}

/** Conversations and their messages; message_keys is filled by the trigger of messages. */
export function conversationTables(plan: DemoPlan): readonly DemoTable[] {
  const { conversations, messages } = plan.options;
  return [
    {
      table: 'conversations',
      columns: [
        'id',
        'user_id',
        'assistant_id',
        'title',
        'conversation_type',
        'status',
        'voice_enabled',
        'voice_id',
        'metadata',
        'started_at',
        'ended_at',
        'created_at',
        'updated_at',
      ],
      count: conversations,
      rows: () => numberedRows(conversations, (index) => conversationRow(plan, index)),
    },
    {
      table: 'messages',
      columns: ['id', 'conversation_id', 'role', 'content', 'content_type', 'parent_id', 'metadata', 'created_at'],
      count: messages,
      rows: () => messageRows(plan),
    },
  ];
}
