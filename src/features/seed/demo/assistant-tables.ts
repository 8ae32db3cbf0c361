import type { CopyRow } from '../../../adapters/postgres/copy.js';
import { assistantsOf, joinedMs, timestamp, type DemoPlan } from './plan.js';
import type { DemoTable } from './table.js';

const MODELS = ['gemini-pro', 'gemini-flash', 'gpt-4o', 'claude-sonnet'];
const SKILLS_AN_ASSISTANT = 3;

function countAssistants({ options: { users } }: DemoPlan): number {
  return assistantsOf(users).first;
}

function* assistantRows(plan: DemoPlan): Generator<CopyRow> {
  const { texts, options } = plan;
  for (let user = 0; user < options.users; user += 1) {
    const userId = plan.id('users', user);
    const created = timestamp(joinedMs(plan, user));
    const { first, count } = assistantsOf(user);
    for (let index = first; index < first + count; index += 1) {
      const random = plan.random('assistant', index);
      const [name, description] = random.pick(texts.assistants);
      yield [
        plan.id('assistants', index),
        userId,
        name,
        description,
        plan.id('personality_templates', random.below(texts.personalities.length)),
        random.chance(0.8) ? plan.id('voices', random.below(texts.voices.length)) : null,
        random.chance(0.9) ? plan.id('avatars', random.below(texts.avatars.length)) : null,
        random.pick(MODELS),
        random.chance(0.9),
        random.chance(0.1),
        created,
        created,
      ];
    }
  }
}

function* skillRows(plan: DemoPlan): Generator<CopyRow> {
  const { topics } = plan.texts;
  for (let user = 0; user < plan.options.users; user += 1) {
    const created = timestamp(joinedMs(plan, user));
    const { first, count } = assistantsOf(user);
    for (let index = first; index < first + count; index += 1) {
      const random = plan.random('assistant skills', index);
      const start = random.below(topics.length);
      for (let priority = 1; priority <= SKILLS_AN_ASSISTANT; priority += 1) {
        yield [
          plan.id('assistants', index),
          plan.id('skill_definitions', (start + priority) % topics.length),
          random.chance(0.9),
          priority,
          random.chance(0.3) ? JSON.stringify({ tone: random.pick(['formal', 'friendly']) }) : null,
          created,
          created,
        ];
      }
    }
  }
}

/** Assistants, and which of them has which skill. */
export function assistantTables(plan: DemoPlan): readonly DemoTable[] {
  const count = countAssistants(plan);
  return [
    {
      table: 'assistants',
      columns: [
        'id',
        'user_id',
        'name',
        'description',
        'personality_template_id',
        'voice_id',
        'avatar_id',
        'default_llm_model',
        'is_active',
        'is_public',
        'created_at',
        'updated_at',
      ],
      count,
      rows: () => assistantRows(plan),
    },
    {
      table: 'assistant_skills',
      columns: [
        'assistant_id',
        'skill_definition_id',
        'is_enabled',
        'priority',
        'custom_settings',
        'created_at',
        'updated_at',
      ],
      count: count * SKILLS_AN_ASSISTANT,
      rows: () => skillRows(plan),
    },
  ];
}
