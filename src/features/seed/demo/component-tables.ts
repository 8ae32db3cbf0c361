import { textArray, type CopyValue } from '../../../adapters/postgres/copy.js';
import { joinedMs, timestamp, type DemoPlan } from './plan.js';
import type { Random } from '../../../base/random.js';
import { DAY_MS } from './rhythm.js';
import { numberedRows, type DemoTable } from './table.js';

/** One user in five has a component of his own; the first ones of each table belong to the system. */
const USERS_WITH_OWN = 5;

function ownComponents({ options }: DemoPlan): number {
  return Math.ceil(options.users / USERS_WITH_OWN);
}

/**
 * A table of components: `presets` rows of the system, open to all, then one for every fifth user. `values` gives what
 * stands between user_id and is_active; `preset` is the row that an own component is a copy of.
 */
function componentTable(
  plan: DemoPlan,
  table: string,
  columns: readonly string[],
  presets: number,
  values: (preset: number, random: Random) => readonly CopyValue[],
): DemoTable {
  const count = presets + ownComponents(plan);
  const systemCreated = plan.window.fromMs - 365 * DAY_MS;
  return {
    table,
    columns: ['id', 'user_id', ...columns, 'is_active', 'is_public', 'created_at', 'updated_at'],
    count,
    rows: () =>
      numberedRows(count, (index) => {
        const random = plan.random(table, index);
        const owner = index < presets ? undefined : (index - presets) * USERS_WITH_OWN;
        const created = timestamp(owner === undefined ? systemCreated : joinedMs(plan, owner));
        return [
          plan.id(table, index),
          owner === undefined ? null : plan.id('users', owner),
          ...values(index < presets ? index : random.below(presets), random),
          true,
          owner === undefined || random.chance(0.2),
          created,
          created,
        ];
      }),
  };
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no preset ${index}`);
  return item;
}

function voices(plan: DemoPlan): DemoTable {
  const { texts } = plan;
  const columns = ['name', 'provider', 'voice_id', 'language', 'gender', 'age_group', 'sample_url', 'settings'];
  return componentTable(plan, 'voices', columns, texts.voices.length, (preset, random) => {
    const [name, gender, ageGroup] = at(texts.voices, preset);
    const code = `${texts.language}-${gender}-${preset + 1}`;
    const settings = { speed: 0.8 + random.below(5) / 10, pitch: random.below(5) - 2 };
    return [
      name,
      random.pick(['google', 'azure', 'voicevox']),
      code,
      texts.language,
      gender,
      ageGroup,
      `https://media.example.com/voices/${code}.mp3`,
      JSON.stringify(settings),
    ];
  });
}

function avatars(plan: DemoPlan): DemoTable {
  const { texts } = plan;
  const columns = ['name', 'avatar_type', 'image_url', 'style', 'gender', 'age_appearance', 'tags', 'metadata'];
  return componentTable(plan, 'avatars', columns, texts.avatars.length, (preset, random) => {
    const [name, style, gender] = at(texts.avatars, preset);
    return [
      name,
      random.chance(0.8) ? '2d' : '3d',
      `https://media.example.com/avatars/${preset + 1}.png`,
      style,
      gender,
      random.pick(['20s', '30s', '40s']),
      textArray([style, gender]),
      JSON.stringify({ demo: true }),
    ];
  });
}

function personalities(plan: DemoPlan): DemoTable {
  const { texts } = plan;
  const columns = ['name', 'description', 'template_type', 'system_prompt', 'parameters'];
  return componentTable(plan, 'personality_templates', columns, texts.personalities.length, (preset, random) => {
    const [name, type, prompt] = at(texts.personalities, preset);
    return [name, prompt, type, prompt, JSON.stringify({ temperature: random.below(10) / 10 })];
  });
}

function skills(plan: DemoPlan): DemoTable {
  const { topics } = plan.texts;
  const columns = ['skill_code', 'name', 'description', 'skill_type', 'configuration'];
  return componentTable(plan, 'skill_definitions', columns, topics.length, (preset, random) => {
    const { code, skill, facts } = at(topics, preset);
    const description = facts.join(' ').replaceAll(/\{[a-z]+\}/g, '…');
    const configuration = JSON.stringify({ timeoutSeconds: 10 + random.below(50), demo: true });
    return [`SK${String(preset + 1).padStart(3, '0')}`, skill, description, code, configuration];
  });
}

/** What assistants are put together from. */
export function componentTables(plan: DemoPlan): readonly DemoTable[] {
  return [voices(plan), avatars(plan), personalities(plan), skills(plan)];
}
