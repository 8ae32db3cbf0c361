import { conversationOf, turnsOf, type Conversation, type Turn } from './conversation.js';
import { fillIn } from './fill-in.js';
import { timestamp, type DemoPlan } from './plan.js';
import type { Random } from '../../../base/random.js';
import { DAY_MS } from './rhythm.js';
import { demoTable, numberedRows, type DemoRow, type DemoTable } from './table.js';

const DEMO = '{"demo": true}';

function conversationRow(plan: DemoPlan, index: number): DemoRow<'conversations'> {
  const { texts, window } = plan;
  const conversation = conversationOf(plan, index);
  const { topic, subject, startedMs, hasVoice } = conversation;
  const random = plan.random('title', index);
  let endedMs = startedMs;
  for (const { createdMs } of turnsOf(plan, conversation)) endedMs = createdMs;
  const isOpen = endedMs > window.untilMs - 2 * DAY_MS;
  const status = isOpen ? 'active' : random.chance(0.3) ? 'archived' : 'completed';
  return {
    id: plan.id('conversations', index),
    user_id: plan.id('users', conversation.user),
    assistant_id: plan.id('assistants', conversation.assistant),
    title: fillIn(random.pick(topic.titles), texts, subject, random),
    conversation_type: hasVoice ? 'voice' : 'chat',
    status,
    voice_enabled: hasVoice,
    voice_id: hasVoice ? plan.id('voices', random.below(texts.voices.length)) : null,
    metadata: JSON.stringify({ demo: true, topic: topic.code }),
    started_at: timestamp(startedMs),
    ended_at: isOpen ? null : timestamp(endedMs),
    created_at: timestamp(startedMs),
    updated_at: timestamp(endedMs),
  };
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
function* messageRows(plan: DemoPlan): Generator<DemoRow<'messages'>> {
  for (let index = 0; index < plan.options.conversations; index += 1) {
    const conversation = conversationOf(plan, index);
    const conversationId = plan.id('conversations', index);
    const random = plan.random('content', index);
    for (const turn of turnsOf(plan, conversation)) {
      const { message, role, createdMs, parent } = turn;
      const spoken = conversation.hasVoice && role === 'user';
      yield {
        id: plan.id('messages', message),
        conversation_id: conversationId,
        role,
        content: contentOf(plan, conversation, turn, random),
        content_type: role === 'tool' ? 'json' : spoken ? 'audio' : 'text',
        parent_id: parent === undefined ? null : plan.id('messages', parent),
        metadata: role === 'assistant' ? `{"demo": true, "tokens": ${50 + random.below(900)}}` : DEMO,
        created_at: timestamp(createdMs),
      };
    }
  }
}

/** Conversations and their messages; message_keys is filled by the trigger of messages. */
export function conversationTables(plan: DemoPlan): readonly DemoTable[] {
  const { conversations, messages } = plan.options;
  return [
    demoTable({
      table: 'conversations',
      count: conversations,
      rows: () => numberedRows(conversations, (index) => conversationRow(plan, index)),
    }),
    demoTable({ table: 'messages', count: messages, rows: () => messageRows(plan) }),
  ];
}
