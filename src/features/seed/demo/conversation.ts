import type { DemoTopic } from './texts/demo-texts.js';
import { subjectOf, type Subject } from './fill-in.js';
import { pickAssistant, pickUser, type DemoPlan } from './plan.js';
import type { Random } from '../../../base/random.js';
import { DAY_MS, localHour } from './rhythm.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A pause over night included. */
const LONGEST_PAUSE_MS = 20 * HOUR_MS;

export interface Conversation {
  readonly index: number;
  readonly user: number;
  readonly assistant: number;
  readonly topic: DemoTopic;
  readonly subject: Subject;
  readonly startedMs: number;
  readonly hasVoice: boolean;
}

export function conversationOf(plan: DemoPlan, index: number): Conversation {
  const { options, texts, timeOf } = plan;
  const random = plan.random('conversation', index);
  const share = (index + random.fraction()) / options.conversations;
  const user = pickUser(plan, share, random);
  return {
    index,
    user,
    assistant: pickAssistant(user, random),
    topic: random.pick(texts.topics),
    subject: subjectOf(texts, random),
    startedMs: timeOf(share),
    hasVoice: random.chance(0.2),
  };
}

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface Turn {
  /** Number of the message among all messages. */
  readonly message: number;
  readonly role: Role;
  readonly createdMs: number;
  /** Number of the message this one answers: one before it in the same conversation. */
  readonly parent: number | undefined;
}

function nextRole(last: Role | undefined, random: Random): Role {
  if (last === undefined) return random.chance(0.2) ? 'system' : 'user';
  if (last === 'user') return random.chance(0.08) ? 'tool' : 'assistant';
  return last === 'tool' ? 'assistant' : 'user';
}

/** Time until the next message; people come back after a pause, and seldom write at night. */
function waitMs(last: Role, role: Role, nowMs: number, offsetMs: number, random: Random): number {
  if (last === 'system') return random.between(100, 900);
  if (role === 'tool') return random.between(500, 3000);
  if (role === 'assistant') return random.between(1500, 15_000);
  const pauseMs = random.chance(0.06)
    ? random.between(HOUR_MS, 5 * HOUR_MS)
    : Math.min(5000 + random.waiting(70_000), 30 * MINUTE_MS);
  const thenMs = nowMs + pauseMs;
  const hour = localHour(thenMs, offsetMs);
  if ((hour >= 7 && hour < 21) || random.chance(0.05)) return pauseMs;
  const localMidnightMs = Math.floor((thenMs + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
  const morningMs = localMidnightMs + (hour < 7 ? 0 : DAY_MS) + 8 * HOUR_MS;
  return morningMs - nowMs + random.between(0, 2 * HOUR_MS);
}

function parentOf(role: Role, message: number, first: number, lastUser: number, random: Random): number | undefined {
  if (message === first) return undefined;
  if (role !== 'user') return role === 'assistant' ? message - 1 : lastUser;
  const choice = random.fraction();
  // A new subject, a way back to something earlier, or the answer just given.
  if (choice < 0.05) return undefined;
  return choice < 0.15 ? first + random.below(message - first) : message - 1;
}

function* unscaledTurns(plan: DemoPlan, conversation: Conversation): Generator<Turn> {
  const { firstMessages, window } = plan;
  const first = firstMessages[conversation.index] ?? 0;
  const end = firstMessages[conversation.index + 1] ?? 0;
  const random = plan.random('turns', conversation.index);
  let last: Role | undefined;
  let lastUser = first;
  let createdMs = conversation.startedMs;
  for (let message = first; message < end; message += 1) {
    const role = nextRole(last, random);
    if (last !== undefined) createdMs += Math.ceil(waitMs(last, role, createdMs, window.offsetMs, random));
    yield { message, role, createdMs, parent: parentOf(role, message, first, lastUser, random) };
    if (role === 'user') lastUser = message;
    last = role;
  }
}

/** The messages of a conversation in their order, without their texts. One that would last past the end goes faster. */
export function* turnsOf(plan: DemoPlan, conversation: Conversation): Generator<Turn, undefined> {
  const { firstMessages, window } = plan;
  const { startedMs, index } = conversation;
  const count = (firstMessages[index + 1] ?? 0) - (firstMessages[index] ?? 0);
  const roomMs = window.untilMs - startedMs - 1;
  let scale = 1;
  if (count * LONGEST_PAUSE_MS > roomMs) {
    let endMs = startedMs + 1;
    for (const turn of unscaledTurns(plan, conversation)) endMs = turn.createdMs;
    scale = Math.min(1, (roomMs - count) / (endMs - startedMs));
  }
  let lastMs = startedMs - 1;
  for (const turn of unscaledTurns(plan, conversation)) {
    lastMs = Math.max(lastMs + 1, startedMs + Math.floor((turn.createdMs - startedMs) * scale));
    yield scale === 1 ? turn : { ...turn, createdMs: lastMs };
  }
  return undefined;
}
