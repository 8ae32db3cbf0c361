import { textArray } from '../../../adapters/postgres/copy.js';
import { joinedMs, timestamp, type DemoPlan } from './plan.js';
import type { Random } from '../../../base/random.js';
import { DAY_MS } from './rhythm.js';
import { demoTable, numberedRows, type DemoRow, type DemoTable } from './table.js';

/** One user in five has a component of his own; the first ones of each table belong to the system. */
const USERS_WITH_OWN = 5;

function ownComponents({ options }: DemoPlan): number {
  return Math.ceil(options.users / USERS_WITH_OWN);
}

type ComponentTable = 'voices' | 'avatars' | 'personality_templates' | 'skill_definitions';

/**
 * A table of components: `presets` rows of the system, open to all, then one for every fifth user. `values` gives the
 * columns that the table alone has; `preset` is the row that an own component is a copy of.
 */
function componentTable<Table extends ComponentTable>(
  plan: DemoPlan,
  table: Table,
  presets: number,
  values: (preset: number, random: Random) => DemoRow<Table>,
): DemoTable {
  const count = presets + ownComponents(plan);
  const systemCreated = plan.window.fromMs - 365 * DAY_MS;
  return demoTable({
    table,
    count,
    rows: () =>
      numberedRows(count, (index) => {
        const random = plan.random(table, index);
        const owner = index < presets ? undefined : (index - presets) * USERS_WITH_OWN;
        const created = timestamp(owner === undefined ? systemCreated : joinedMs(plan, owner));
        return {
          id: plan.id(table, index),
          user_id: owner === undefined ? null : plan.id('users', owner),
          ...values(index < presets ? index : random.below(presets), random),
          is_active: true,
          is_public: owner === undefined || random.chance(0.2),
          created_at: created,
          updated_at: created,
        };
      }),
  });
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no preset ${index}`);
  return item;
}

function voices(plan: DemoPlan): DemoTable {
  const { texts } = plan;
  return componentTable(plan, 'voices', texts.voices.length, (preset, random) => {
    const [name, gender, ageGroup] = at(texts.voices, preset);
    const code = `${texts.language}-${gender}-${preset + 1}`;
    const settings = { speed: 0.8 + random.below(5) / 10, pitch: random.below(5) - 2 };
    return {
      name,
      provider: random.pick(['google', 'azure', 'voicevox']),
      voice_id: code,
      language: texts.language,
      gender,
      age_group: ageGroup,
      sample_url: `https://media.example.com/voices/${code}.mp3`,
      settings: JSON.stringify(settings),
    };
  });
}

function avatars(plan: DemoPlan): DemoTable {
  const { texts } = plan;
  return componentTable(plan, 'avatars', texts.avatars.length, (preset, random) => {
    const [name, style, gender] = at(texts.avatars, preset);
    return {
      name,
      avatar_type: random.chance(0.8) ? '2d' : '3d',
      image_url: `https://media.example.com/avatars/${preset + 1}.png`,
      style,
      gender,
      age_appearance: random.pick(['20s', '30s', '40s']),
      tags: textArray([style, gender]),
      metadata: JSON.stringify({ demo: true }),
    };
  });
}

function personalities(plan: DemoPlan): DemoTable {
  const { texts } = plan;
  return componentTable(plan, 'personality_templates', texts.personalities.length, (preset, random) => {
    const [name, type, prompt] = at(texts.personalities, preset);
    return {
      name,
      description: prompt,
      template_type: type,
      system_prompt: prompt,
      parameters: JSON.stringify({ temperature: random.below(10) / 10 }),
    };
  });
}

function skills(plan: DemoPlan): DemoTable {
  const { topics } = plan.texts;
  return componentTable(plan, 'skill_definitions', topics.length, (preset, random) => {
    const { code, skill, facts } = at(topics, preset);
    const description = facts.join(' ').replaceAll(/\{[a-z]+\}/g, '…');
    const configuration = JSON.stringify({ timeoutSeconds: 10 + random.below(50), demo: true });
    return {
      skill_code: `SK${String(preset + 1).padStart(3, '0')}`,
      name: skill,
      description,
      skill_type: code,
      configuration,
    };
  });
}

/** What assistants are put together from. */
export function componentTables(plan: DemoPlan): readonly DemoTable[] {
  return [voices(plan), avatars(plan), personalities(plan), skills(plan)];
}
