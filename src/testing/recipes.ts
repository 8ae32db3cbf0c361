import type { DB } from '../schema/index.js';

export type RowName =
  | 'user'
  | 'assistant'
  | 'conversation'
  | 'message'
  | 'voice'
  | 'avatar'
  | 'personalityTemplate'
  | 'skillDefinition'
  | 'assistantSkill'
  | 'storedFile'
  | 'knowledge'
  | 'userPreferences'
  | 'apiUsage'
  | 'systemSetting';

interface Recipe {
  readonly table: keyof DB;
  /** Of the row with this number, from 1: what has no default in the database. */
  readonly columns: (count: number) => Readonly<Record<string, unknown>>;
  /** By the name of the row that is referred to; the user comes last, for the others say who it is. */
  readonly references: Readonly<Record<string, { readonly column: string; readonly isMade?: true }>>;
}

const USER = { column: 'user_id', isMade: true } as const;
const MAYBE_USER = { column: 'user_id' };

/** How a row of each table is made. Archived messages are missing: a month of them is made by `aisec archive run`. */
export const RECIPES: Readonly<Record<RowName, Recipe>> = {
  user: {
    table: 'users',
    columns: (count) => ({ username: `user${count}`, email: `user${count}@example.com`, password_hash: 'x' }),
    references: {},
  },
  assistant: {
    table: 'assistants',
    columns: (count) => ({ name: `Assistant ${count}` }),
    references: {
      voice: { column: 'voice_id' },
      avatar: { column: 'avatar_id' },
      personalityTemplate: { column: 'personality_template_id' },
      user: USER,
    },
  },
  conversation: {
    table: 'conversations',
    columns: (count) => ({ title: `Conversation ${count}` }),
    references: { assistant: { column: 'assistant_id' }, voice: { column: 'voice_id' }, user: USER },
  },
  message: {
    table: 'messages',
    columns: (count) => ({ role: 'user', content: `Message ${count}` }),
    references: { conversation: { column: 'conversation_id', isMade: true }, parent: { column: 'parent_id' } },
  },
  voice: { table: 'voices', columns: (count) => ({ name: `Voice ${count}` }), references: { user: MAYBE_USER } },
  avatar: { table: 'avatars', columns: (count) => ({ name: `Avatar ${count}` }), references: { user: MAYBE_USER } },
  personalityTemplate: {
    table: 'personality_templates',
    columns: (count) => ({ name: `Personality ${count}` }),
    references: { user: MAYBE_USER },
  },
  skillDefinition: {
    table: 'skill_definitions',
    columns: (count) => ({
      skill_code: `S${count}`,
      name: `Skill ${count}`,
      description: `What skill ${count} does.`,
      skill_type: 'function',
      configuration: {},
    }),
    references: { user: MAYBE_USER },
  },
  assistantSkill: {
    table: 'assistant_skills',
    columns: () => ({}),
    references: {
      assistant: { column: 'assistant_id', isMade: true },
      skillDefinition: { column: 'skill_definition_id', isMade: true },
    },
  },
  storedFile: {
    table: 'files',
    columns: (count) => ({ file_name: `file${count}.txt` }),
    references: { conversation: { column: 'conversation_id' }, message: { column: 'message_id' }, user: USER },
  },
  knowledge: {
    table: 'knowledge_base',
    columns: (count) => ({ content: `Fact ${count}` }),
    references: { assistant: { column: 'secretary_id', isMade: true } },
  },
  userPreferences: {
    table: 'user_preferences',
    columns: () => ({}),
    references: { assistant: { column: 'default_assistant_id' }, user: USER },
  },
  apiUsage: {
    table: 'api_usage',
    columns: () => ({ api_name: 'chat' }),
    references: { assistant: { column: 'secretary_id', isMade: true } },
  },
  systemSetting: {
    table: 'system_settings',
    columns: (count) => ({ key: `setting_${count}`, value: JSON.stringify(count) }),
    references: {},
  },
};
