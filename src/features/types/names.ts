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
  return JSON_TYPES[`${relation}.${column}`];
}

function singular(word: string): string {
  if (/(ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(x|ch|sh|ss)es$/.test(word)) return word.slice(0, -2);
  return word.replace(/s$/, '');
}

/** `skill_definitions` → `SkillDefinition`. */
export function rowNameOf(relation: string): string {
  const known = ROW_NAMES[relation];
  if (known !== undefined) return known;
  const words = relation.split(/[^A-Za-z0-9]+/).filter(Boolean);
  const last = words.pop() ?? '';
  const name = [...words, singular(last)].map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
  return /^\d/.test(name) ? `Table${name}` : name;
}
