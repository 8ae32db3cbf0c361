import type { Kysely } from 'kysely';

import type {
  ApiUsage,
  Assistant,
  AssistantSkill,
  Avatar,
  Conversation,
  DB,
  Knowledge,
  Message,
  NewApiUsage,
  NewAssistant,
  NewAssistantSkill,
  NewAvatar,
  NewConversation,
  NewKnowledge,
  NewMessage,
  NewPersonalityTemplate,
  NewSkillDefinition,
  NewStoredFile,
  NewSystemSetting,
  NewUser,
  NewUserPreferences,
  NewVoice,
  PersonalityTemplate,
  SkillDefinition,
  StoredFile,
  SystemSetting,
  User,
  UserPreferences,
  Voice,
} from '../schema/index.js';
import { SCHEMA_COLUMNS } from '../schema/columns.js';
import { RECIPES, type RowName } from './recipes.js';

/** A row that another one refers to. */
export interface Referred {
  readonly id: string;
  readonly user_id?: string | null;
}

type Make<Row, New, References extends string = never> = (
  values?: Partial<New> & { readonly [Name in References]?: Referred },
) => Promise<Row>;

/**
 * Rows of the tables, as the superuser. What is not given has a default, the same in each run of a test; a row that must be
 * referred to is made, for the same user. Give columns, or the rows themselves: `make.conversation({ user, title: 'x' })`.
 */
export interface Factories {
  readonly user: Make<User, NewUser>;
  readonly voice: Make<Voice, NewVoice, 'user'>;
  readonly avatar: Make<Avatar, NewAvatar, 'user'>;
  readonly personalityTemplate: Make<PersonalityTemplate, NewPersonalityTemplate, 'user'>;
  readonly skillDefinition: Make<SkillDefinition, NewSkillDefinition, 'user'>;
  readonly assistant: Make<Assistant, NewAssistant, 'user' | 'voice' | 'avatar' | 'personalityTemplate'>;
  readonly assistantSkill: Make<AssistantSkill, NewAssistantSkill, 'assistant' | 'skillDefinition'>;
  readonly conversation: Make<Conversation, NewConversation, 'user' | 'assistant' | 'voice'>;
  readonly message: Make<Message, NewMessage, 'conversation' | 'parent'>;
  readonly storedFile: Make<StoredFile, NewStoredFile, 'user' | 'conversation' | 'message'>;
  readonly knowledge: Make<Knowledge, NewKnowledge, 'assistant'>;
  readonly userPreferences: Make<UserPreferences, NewUserPreferences, 'user' | 'assistant'>;
  readonly apiUsage: Make<ApiUsage, NewApiUsage, 'assistant'>;
  readonly systemSetting: Make<SystemSetting, NewSystemSetting>;
}

type Row = Record<string, unknown>;

/** `00000000-0000-4000-8000-000200000001` is the first assistant. */
function idOf(table: number, count: number): string {
  const digits = String(table).padStart(4, '0') + String(count).padStart(8, '0');
  return `00000000-0000-4000-8000-${digits}`;
}

/** The factories, and a function after which they start again. */
export function createFactories(admin: Kysely<DB>): { readonly make: Factories; readonly restart: () => void } {
  const names = Object.keys(RECIPES) as RowName[];
  const counts = new Map<RowName, number>();

  async function make(name: RowName, values: Row = {}): Promise<Row> {
    const { table, columns, references } = RECIPES[name];
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const given = { ...values };
    for (const key of Object.keys(references)) delete given[key];
    const hasId = SCHEMA_COLUMNS[table]?.includes('id') === true;
    const row: Row = { ...(hasId && { id: idOf(names.indexOf(name) + 1, count) }), ...columns(count), ...given };
    let owner = given['user_id'];
    for (const [reference, { column, isMade }] of Object.entries(references)) {
      if (column in given) continue;
      const referred = values[reference] as Referred | undefined;
      if (referred !== undefined) {
        row[column] = referred.id;
        owner ??= reference === 'user' ? referred.id : referred.user_id;
      } else if (isMade === true && reference === 'user') {
        row[column] = owner ?? (await make('user'))['id'];
      } else if (isMade === true) {
        const made = await make(reference as RowName, { ...(typeof owner === 'string' && { user_id: owner }) });
        row[column] = made['id'];
        owner ??= made['user_id'];
      }
    }
    const insert = admin.insertInto(table as 'users').values(row as never);
    return insert.returningAll().executeTakeFirstOrThrow();
  }

  const factories = Object.fromEntries(names.map((name) => [name, (values?: Row) => make(name, values)]));
  return { make: factories as unknown as Factories, restart: () => counts.clear() };
}
