import { assistantsOf, joinedMs, timestamp, type DemoPlan } from './plan.js';
import { demoTable, type DemoRow, type DemoTable } from './table.js';

const MODELS = ['gemini-pro', 'gemini-flash', 'gpt-4o', 'claude-sonnet'];
const SKILLS_AN_ASSISTANT = 3;

function countAssistants({ options: { users } }: DemoPlan): number {
  return assistantsOf(users).first;
}

function* assistantRows(plan: DemoPlan): Generator<DemoRow<'assistants'>> {
  const { texts, options } = plan;
  for (let user = 0; user < options.users; user += 1) {
    const userId = plan.id('users', user);
    const created = timestamp(joinedMs(plan, user));
    const { first, count } = assistantsOf(user);
    for (let index = first; index < first + count; index += 1) {
      const random = plan.random('assistant', index);
      const [name, description] = random.pick(texts.assistants);
      yield {
        id: plan.id('assistants', index),
        user_id: userId,
        name,
        description,
        personality_template_id: plan.id('personality_templates', random.below(texts.personalities.length)),
        voice_id: random.chance(0.8) ? plan.id('voices', random.below(texts.voices.length)) : null,
        avatar_id: random.chance(0.9) ? plan.id('avatars', random.below(texts.avatars.length)) : null,
        default_llm_model: random.pick(MODELS),
        is_active: random.chance(0.9),
        is_public: random.chance(0.1),
        created_at: created,
        updated_at: created,
      };
    }
  }
}

function* skillRows(plan: DemoPlan): Generator<DemoRow<'assistant_skills'>> {
  const { topics } = plan.texts;
  for (let user = 0; user < plan.options.users; user += 1) {
    const created = timestamp(joinedMs(plan, user));
    const { first, count } = assistantsOf(user);
    for (let index = first; index < first + count; index += 1) {
      const random = plan.random('assistant skills', index);
      const start = random.below(topics.length);
      for (let priority = 1; priority <= SKILLS_AN_ASSISTANT; priority += 1) {
        yield {
          assistant_id: plan.id('assistants', index),
          skill_definition_id: plan.id('skill_definitions', (start + priority) % topics.length),
          is_enabled: random.chance(0.9),
          priority,
          custom_settings: random.chance(0.3) ? JSON.stringify({ tone: random.pick(['formal', 'friendly']) }) : null,
          created_at: created,
          updated_at: created,
        };
      }
    }
  }
}

/** Assistants, and which of them has which skill. */
export function assistantTables(plan: DemoPlan): readonly DemoTable[] {
  const count = countAssistants(plan);
  return [
    demoTable({ table: 'assistants', count, rows: () => assistantRows(plan) }),
    demoTable({ table: 'assistant_skills', count: count * SKILLS_AN_ASSISTANT, rows: () => skillRows(plan) }),
  ];
}
