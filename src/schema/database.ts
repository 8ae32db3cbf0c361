// Written by `aisec types generate` from the migrations; `aisec types check` reports when they have changed.

import type {
  ApiUsageMetadata,
  ArrayOf,
  AssistantSkillSettings,
  AvatarMetadata,
  ConversationMetadata,
  FileMetadata,
  Generated,
  Int8,
  JsonText,
  KnowledgeMetadata,
  MessageMetadata,
  NotificationSettings,
  Numeric,
  PersonalityParameters,
  PrivacySettings,
  ReadOnly,
  SkillConfiguration,
  Timestamp,
  Vector,
  VoiceSettings,
} from './column-types.js';
import type { Insertable, Selectable, Updateable } from 'kysely';

/** Active assistants (アクティブなアシスタント情報ビュー): with their owner and their conversations counted. */
export interface ActiveAssistantsTable {
  /** Assistant. */
  id: ReadOnly<string>;
  /** Name of the assistant. */
  name: ReadOnly<string>;
  /** Description of the assistant. */
  description: ReadOnly<string | null>;
  /** Language model the assistant uses by default. */
  default_llm_model: ReadOnly<string | null>;
  /** Login name of the owner. */
  owner_username: ReadOnly<string>;
  /** Number of conversations with the assistant. */
  conversation_count: ReadOnly<Int8>;
  /** Time the newest of them was created, null without any. */
  last_conversation_at: ReadOnly<Timestamp | null>;
}

/** Messages and archived messages together. */
export interface AllMessagesTable {
  /** Identifier. */
  id: ReadOnly<string>;
  /** Conversation. */
  conversation_id: ReadOnly<string>;
  /** Who speaks: user, assistant, system or tool. */
  role: ReadOnly<'user' | 'assistant' | 'system' | 'tool'>;
  /** What was said. */
  content: ReadOnly<string | null>;
  /** Kind of content. */
  content_type: ReadOnly<string | null>;
  /** Message this one answers. */
  parent_id: ReadOnly<string | null>;
  /** Further attributes. */
  metadata: ReadOnly<MessageMetadata | null>;
  /** Time of the message. */
  created_at: ReadOnly<Timestamp>;
  /** True for a row of messages_archive, false for one of messages. */
  is_archived: ReadOnly<boolean>;
}

/** API usage (API使用履歴): one row for a call to an outside service. */
export interface ApiUsageTable {
  /** Identifier. */
  id: Generated<string>;
  /** Assistant that made the call; it cannot be deleted before its usage. */
  secretary_id: string | null;
  /** Service that was called. pii: none */
  api_name: string;
  /** Tokens of request and answer together. */
  tokens_used: number | null;
  /** Price of the call. */
  cost: Numeric | null;
  /** Time until the answer, in milliseconds. */
  response_time_ms: number | null;
  /** False when the call failed. */
  success: Generated<boolean>;
  /** Why it failed. pii: text */
  error_message: string | null;
  /** Further attributes. pii: json */
  metadata: ApiUsageMetadata | null;
  /** Time of the call. */
  created_at: Generated<Timestamp>;
}

/** Skills of assistants (アシスタントスキル関連): which assistant has which skill. */
export interface AssistantSkillsTable {
  /** The assistant. */
  assistant_id: string;
  /** The skill. */
  skill_definition_id: string;
  /** False when the assistant must not use the skill. */
  is_enabled: Generated<boolean>;
  /** Order among the assistant's skills, from 1. */
  priority: Generated<number>;
  /** Settings of this assistant for the skill, an object. pii: json */
  custom_settings: AssistantSkillSettings | null;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Assistants (AI秘書): the AI assistants of a user. */
export interface AssistantsTable {
  /** Identifier; knowledge_base and api_usage call it secretary_id. */
  id: Generated<string>;
  /** Owner. */
  user_id: string;
  /** Name shown to the user. pii: text */
  name: string;
  /** Description shown to the user. pii: text */
  description: string | null;
  /** How it behaves; null when none is chosen or it was deleted. */
  personality_template_id: string | null;
  /** How it sounds; null when none is chosen or it was deleted. */
  voice_id: string | null;
  /** How it looks; null when none is chosen or it was deleted. */
  avatar_id: string | null;
  /** Language model it uses by default. pii: none */
  default_llm_model: Generated<string | null>;
  /** Prompt of the user's own, besides the template's. pii: text */
  custom_system_prompt: string | null;
  /** False when the user has deactivated it. */
  is_active: Generated<boolean>;
  /** Marked for publication by its owner; the policies still show it to the owner only. */
  is_public: Generated<boolean>;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Avatars (アバター設定): how an assistant looks. */
export interface AvatarsTable {
  /** Identifier. */
  id: Generated<string>;
  /** Owner; null for an avatar of the system. */
  user_id: string | null;
  /** Name shown to users. pii: text */
  name: string;
  /** Kind of avatar. pii: none */
  avatar_type: string | null;
  /** Address of the still image. pii: url */
  image_url: string | null;
  /** Address of the animation. pii: url */
  animated_url: string | null;
  /** Style of the drawing. pii: none */
  style: string | null;
  /** Gender the avatar suggests. pii: none */
  gender: string | null;
  /** Age the avatar suggests. pii: none */
  age_appearance: string | null;
  /** Tags to search by. pii: text */
  tags: ArrayOf<string> | null;
  /** Further attributes. pii: json */
  metadata: AvatarMetadata | null;
  /** False when the avatar is no longer offered. */
  is_active: Generated<boolean | null>;
  /** True when every user may read it. */
  is_public: Generated<boolean | null>;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Conversation statistics (会話統計ビュー): counts what is in messages; all_messages has the archived ones too. */
export interface ConversationStatsTable {
  /** Conversation. */
  id: ReadOnly<string>;
  /** Title of the conversation. */
  title: ReadOnly<string | null>;
  /** State of the conversation. */
  status: ReadOnly<string | null>;
  /** Name of the assistant, null without one. */
  assistant_name: ReadOnly<string | null>;
  /** Login name of the owner. */
  user_name: ReadOnly<string>;
  /** Number of messages not archived. */
  message_count: ReadOnly<Int8>;
  /** Time of the oldest of them. */
  first_message_at: ReadOnly<Timestamp | null>;
  /** Time of the newest of them. */
  last_message_at: ReadOnly<Timestamp | null>;
}

/** Conversations (会話セッション): sessions of a user with an assistant. */
export interface ConversationsTable {
  /** Identifier. */
  id: Generated<string>;
  /** Owner. */
  user_id: string;
  /** The assistant; it cannot be deleted while a conversation with it exists. */
  assistant_id: string | null;
  /** Title shown to the user. pii: text */
  title: string | null;
  /** Kind of conversation. pii: none */
  conversation_type: string | null;
  /** State of the conversation. pii: none */
  status: string | null;
  /** True when the assistant speaks. */
  voice_enabled: Generated<boolean | null>;
  /** Voice it speaks with; null when none is chosen or it was deleted. */
  voice_id: string | null;
  /** Further attributes. pii: json */
  metadata: ConversationMetadata | null;
  /** Time the conversation began. */
  started_at: Timestamp | null;
  /** Time it ended, not before it began; null while it continues. */
  ended_at: Timestamp | null;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Files (ファイル管理): what users have uploaded. */
export interface FilesTable {
  /** Identifier. */
  id: Generated<string>;
  /** Owner. */
  user_id: string;
  /** Conversation the file belongs to; that one cannot be deleted before the file. */
  conversation_id: string | null;
  /** Message the file is attached to, live or archived; set to null when that message is deleted. */
  message_id: string | null;
  /** Name the user gave it. pii: file */
  file_name: string;
  /** Kind of file. pii: none */
  file_type: string | null;
  /** Size in bytes. */
  file_size: number | null;
  /** Where the content is stored. pii: file */
  storage_path: string | null;
  /** Media type of the content. pii: none */
  mime_type: string | null;
  /** True once the content has been read. */
  is_processed: Generated<boolean | null>;
  /** Further attributes. pii: json */
  metadata: FileMetadata | null;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Knowledge (知識ベース): texts an assistant can look up by meaning. */
export interface KnowledgeBaseTable {
  /** Identifier. */
  id: Generated<string>;
  /** Assistant that knows it; it cannot be deleted before its knowledge. */
  secretary_id: string | null;
  /** The text. pii: text */
  content: string;
  /** Embedding of the text, 1536 dimensions, compared by cosine distance. pii: embedding */
  embedding: Vector | null;
  /** Kind of source. pii: none */
  source_type: string | null;
  /** Address of the source. pii: url */
  source_url: string | null;
  /** Tags to search by. pii: text */
  tags: ArrayOf<string> | null;
  /** Further attributes. pii: json */
  metadata: KnowledgeMetadata | null;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Messages (メッセージ履歴): what was said in conversations, partitioned by month. */
export interface MessagesTable {
  /** Identifier, unique over messages and messages_archive. */
  id: Generated<string>;
  /** Conversation; its messages are deleted with it. */
  conversation_id: string;
  /** Who speaks: user, assistant, system or tool. pii: none */
  role: 'user' | 'assistant' | 'system' | 'tool';
  /** What was said. pii: text */
  content: string | null;
  /** Kind of content. pii: none */
  content_type: string | null;
  /** Message this one answers, live or archived; set to null when that message is deleted. */
  parent_id: string | null;
  /** Further attributes. pii: json */
  metadata: MessageMetadata | null;
  /** Time of the message; its UTC month decides the partition. */
  created_at: Generated<Timestamp>;
}

/** Archived messages (アーカイブテーブル): months that left messages, partitioned alike. */
export interface MessagesArchiveTable {
  /** Identifier, unique over messages and messages_archive. */
  id: Generated<string>;
  /** Conversation; its messages are deleted with it. */
  conversation_id: string;
  /** Who speaks: user, assistant, system or tool. pii: none */
  role: 'user' | 'assistant' | 'system' | 'tool';
  /** What was said. pii: text */
  content: string | null;
  /** Kind of content. pii: none */
  content_type: string | null;
  /** Message this one answers, live or archived; set to null when that message is deleted. */
  parent_id: string | null;
  /** Further attributes. pii: json */
  metadata: MessageMetadata | null;
  /** Time of the message; its UTC month decides the partition. */
  created_at: Generated<Timestamp>;
}

/** Personality templates (パーソナリティテンプレート): how an assistant behaves. */
export interface PersonalityTemplatesTable {
  /** Identifier. */
  id: Generated<string>;
  /** Owner; null for a template of the system. */
  user_id: string | null;
  /** Name shown to users. pii: text */
  name: string;
  /** Description shown to users. pii: text */
  description: string | null;
  /** Kind of template. pii: none */
  template_type: string | null;
  /** Prompt that gives the assistant its personality. pii: text */
  system_prompt: string | null;
  /** Parameters for the model, an object. pii: json */
  parameters: PersonalityParameters | null;
  /** False when the template is no longer offered. */
  is_active: Generated<boolean | null>;
  /** True when every user may read it. */
  is_public: Generated<boolean | null>;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Skill definitions (スキル定義): what an assistant can be taught. */
export interface SkillDefinitionsTable {
  /** Identifier. */
  id: Generated<string>;
  /** Owner; null for a skill of the system. */
  user_id: string | null;
  /** Short code of the skill. pii: none */
  skill_code: string;
  /** Name shown to users. pii: text */
  name: string;
  /** Description shown to users. pii: text */
  description: string;
  /** Kind of skill. pii: none */
  skill_type: string;
  /** Configuration of the skill, an object. pii: json */
  configuration: SkillConfiguration;
  /** True when every user may read it. */
  is_public: Generated<boolean>;
  /** False when the skill is no longer offered. */
  is_active: Generated<boolean>;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** System settings (システム設定): settings of the platform. Role authenticated reads them all: no place for secrets. */
export interface SystemSettingsTable {
  /** Identifier. */
  id: Generated<string>;
  /** Name of the setting, unique. pii: none */
  key: string;
  /** Value of the setting. pii: json */
  value: JsonText;
  /** What the setting does. pii: none */
  description: string | null;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Preferences (ユーザー設定): one row for a user. */
export interface UserPreferencesTable {
  /** The user. */
  user_id: string;
  /** Theme of the user interface. pii: none */
  theme: string | null;
  /** Language code of the user interface. pii: none */
  language: string | null;
  /** Name of the user's time zone, such as Asia/Tokyo. pii: none */
  timezone: string | null;
  /** What to notify the user of, an object. pii: json */
  notification_settings: NotificationSettings | null;
  /** What may be done with the user's data, an object. pii: json */
  privacy_settings: PrivacySettings | null;
  /** Assistant a new conversation starts with; it cannot be deleted while it is chosen here. */
  default_assistant_id: string | null;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Users (ユーザー): people with an account. */
export interface UsersTable {
  /** Identifier. */
  id: Generated<string>;
  /** Login name, unique. pii: username */
  username: string;
  /** E-mail address, unique. pii: email */
  email: string;
  /** Hash made by hash_password; role authenticated cannot read it. pii: password */
  password_hash: string;
  /** Given name. pii: name */
  first_name: string | null;
  /** Family name. pii: name */
  last_name: string | null;
  /** False when the account is closed or suspended. */
  is_active: Generated<boolean>;
  /** True once the e-mail address is confirmed. */
  is_verified: Generated<boolean>;
  /** Time of the last login, null before the first. */
  last_login_at: Timestamp | null;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

/** Voices (音声設定): how an assistant sounds. */
export interface VoicesTable {
  /** Identifier. */
  id: Generated<string>;
  /** Owner; null for a voice of the system. */
  user_id: string | null;
  /** Name shown to users. pii: text */
  name: string;
  /** Service that speaks. pii: none */
  provider: string | null;
  /** Name of the voice at the provider; no key of this database. pii: token */
  voice_id: string | null;
  /** Language code, such as ja-JP. pii: none */
  language: string | null;
  /** Gender the voice suggests. pii: none */
  gender: string | null;
  /** Age the voice suggests. pii: none */
  age_group: string | null;
  /** Description shown to users. pii: text */
  description: string | null;
  /** Address of a sound sample. pii: url */
  sample_url: string | null;
  /** Settings for the provider, an object. pii: json */
  settings: VoiceSettings | null;
  /** False when the voice is no longer offered. */
  is_active: Generated<boolean | null>;
  /** True when every user may read it. */
  is_public: Generated<boolean | null>;
  /** Time the row was created. */
  created_at: Generated<Timestamp>;
  /** Time of the last change, kept by trigger. */
  updated_at: Generated<Timestamp>;
}

export interface DB {
  active_assistants: ActiveAssistantsTable;
  all_messages: AllMessagesTable;
  api_usage: ApiUsageTable;
  assistant_skills: AssistantSkillsTable;
  assistants: AssistantsTable;
  avatars: AvatarsTable;
  conversation_stats: ConversationStatsTable;
  conversations: ConversationsTable;
  files: FilesTable;
  knowledge_base: KnowledgeBaseTable;
  messages: MessagesTable;
  messages_archive: MessagesArchiveTable;
  personality_templates: PersonalityTemplatesTable;
  skill_definitions: SkillDefinitionsTable;
  system_settings: SystemSettingsTable;
  user_preferences: UserPreferencesTable;
  users: UsersTable;
  voices: VoicesTable;
}

export type ActiveAssistant = Selectable<ActiveAssistantsTable>;

export type AnyMessage = Selectable<AllMessagesTable>;

export type ApiUsage = Selectable<ApiUsageTable>;
export type NewApiUsage = Insertable<ApiUsageTable>;
export type ApiUsageUpdate = Updateable<ApiUsageTable>;

export type AssistantSkill = Selectable<AssistantSkillsTable>;
export type NewAssistantSkill = Insertable<AssistantSkillsTable>;
export type AssistantSkillUpdate = Updateable<AssistantSkillsTable>;

export type Assistant = Selectable<AssistantsTable>;
export type NewAssistant = Insertable<AssistantsTable>;
export type AssistantUpdate = Updateable<AssistantsTable>;

export type Avatar = Selectable<AvatarsTable>;
export type NewAvatar = Insertable<AvatarsTable>;
export type AvatarUpdate = Updateable<AvatarsTable>;

export type ConversationStats = Selectable<ConversationStatsTable>;

export type Conversation = Selectable<ConversationsTable>;
export type NewConversation = Insertable<ConversationsTable>;
export type ConversationUpdate = Updateable<ConversationsTable>;

export type StoredFile = Selectable<FilesTable>;
export type NewStoredFile = Insertable<FilesTable>;
export type StoredFileUpdate = Updateable<FilesTable>;

export type Knowledge = Selectable<KnowledgeBaseTable>;
export type NewKnowledge = Insertable<KnowledgeBaseTable>;
export type KnowledgeUpdate = Updateable<KnowledgeBaseTable>;

export type Message = Selectable<MessagesTable>;
export type NewMessage = Insertable<MessagesTable>;
export type MessageUpdate = Updateable<MessagesTable>;

export type ArchivedMessage = Selectable<MessagesArchiveTable>;
export type NewArchivedMessage = Insertable<MessagesArchiveTable>;
export type ArchivedMessageUpdate = Updateable<MessagesArchiveTable>;

export type PersonalityTemplate = Selectable<PersonalityTemplatesTable>;
export type NewPersonalityTemplate = Insertable<PersonalityTemplatesTable>;
export type PersonalityTemplateUpdate = Updateable<PersonalityTemplatesTable>;

export type SkillDefinition = Selectable<SkillDefinitionsTable>;
export type NewSkillDefinition = Insertable<SkillDefinitionsTable>;
export type SkillDefinitionUpdate = Updateable<SkillDefinitionsTable>;

export type SystemSetting = Selectable<SystemSettingsTable>;
export type NewSystemSetting = Insertable<SystemSettingsTable>;
export type SystemSettingUpdate = Updateable<SystemSettingsTable>;

export type UserPreferences = Selectable<UserPreferencesTable>;
export type NewUserPreferences = Insertable<UserPreferencesTable>;
export type UserPreferencesUpdate = Updateable<UserPreferencesTable>;

export type User = Selectable<UsersTable>;
export type NewUser = Insertable<UsersTable>;
export type UserUpdate = Updateable<UsersTable>;

export type Voice = Selectable<VoicesTable>;
export type NewVoice = Insertable<VoicesTable>;
export type VoiceUpdate = Updateable<VoicesTable>;
