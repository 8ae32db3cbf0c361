/** Types of one row that are not the singular of the table's name. */
const ROW_NAMES: Readonly<Record<string, string>> = {
  all_messages: 'AnyMessage',
  api_usage: 'ApiUsage',
  // Not the File of browsers.
  files: 'StoredFile',
  conversation_stats: 'ConversationStats',
  knowledge_base: 'Knowledge',
  messages_archive: 'ArchivedMessage',
  user_preferences: 'UserPreferences',
};

/** The types of jsonb columns in src/schema/column-types.ts. */
const JSON_TYPES: Readonly<Record<string, string>> = {
  'voices.settings': 'VoiceSettings',
  'avatars.metadata': 'AvatarMetadata',
  'personality_templates.parameters': 'PersonalityParameters',
  'skill_definitions.configuration': 'SkillConfiguration',
  'assistant_skills.custom_settings': 'AssistantSkillSettings',
  'conversations.metadata': 'ConversationMetadata',
  'messages.metadata': 'MessageMetadata',
  'messages_archive.metadata': 'MessageMetadata',
  'files.metadata': 'FileMetadata',
  'knowledge_base.metadata': 'KnowledgeMetadata',
  'user_preferences.notification_settings': 'NotificationSettings',
  'user_preferences.privacy_settings': 'PrivacySettings',
  'api_usage.metadata': 'ApiUsageMetadata',
};

export function jsonTypeOf(relation: string, column: string): string | undefined {
  const key = `${relation}.${column}`;
  return Object.hasOwn(JSON_TYPES, key) ? JSON_TYPES[key] : undefined;
}

function singular(word: string): string {
  if (/(ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(x|ch|sh|ss)es$/.test(word)) return word.slice(0, -2);
  return word.replace(/s$/, '');
}

/** The words of a name in letters and digits of any script, each with a capital: `skill_definitions` → `Skill`, `Definitions`. */
function wordsOf(name: string): readonly string[] {
  const words = name.normalize('NFC').split(/[^\p{ID_Continue}]+|_+/u);
  return words.filter(Boolean).map((word) => word.replace(/^./su, (first) => first.toUpperCase()));
}

function identifier(words: readonly string[]): string {
  const name = words.join('');
  return /^\p{ID_Start}/u.test(name) ? name : `Table${name}`;
}

/** What a table is called in TypeScript before others have been looked at. */
export interface WantedName {
  readonly rowName: string;
  /** Without the word Table behind it. */
  readonly tableName: string;
}

/** `skill_definitions` → `SkillDefinition`; of another schema than the platform's, `BillingInvoice`. */
export function wantedName(relation: string, schema: string | undefined): WantedName {
  const before = schema === undefined ? [] : wordsOf(schema);
  const words = wordsOf(relation);
  const known = schema === undefined && Object.hasOwn(ROW_NAMES, relation) ? ROW_NAMES[relation] : undefined;
  const row = [...before, ...words.slice(0, -1), singular(words.at(-1) ?? '')];
  return { rowName: known ?? identifier(row), tableName: identifier([...before, ...words]) };
}

/** What the printed file itself has, or takes for JavaScript's own. */
const TAKEN = [
  'AlwaysGenerated',
  'ArrayOf',
  'Bytes',
  'DB',
  'Generated',
  'Insertable',
  'Int8',
  'JsonText',
  'Numeric',
  'ReadArrayOf',
  'ReadOnly',
  'Selectable',
  'Timestamp',
  'Updateable',
  'Vector',
  'Array',
  'Date',
  'Function',
  'Object',
  'Promise',
  ...Object.values(JSON_TYPES),
];

/** Names that no other table of the file has, in the order of the calls: `User`, then `User2` for another one. */
export class Names {
  readonly #taken = new Set(TAKEN);

  take({ rowName, tableName }: WantedName): WantedName {
    for (let number = 1; ; number += 1) {
      const suffix = number === 1 ? '' : String(number);
      const [row, table] = [`${rowName}${suffix}`, `${tableName}${suffix}Table`];
      const all = [row, `New${row}`, `${row}Update`, table];
      if (new Set(all).size < all.length || all.some((name) => this.#taken.has(name))) continue;
      for (const name of all) this.#taken.add(name);
      return { rowName: row, tableName: table };
    }
  }
}
