// Written by `aisec types generate --validators` from the migrations; `aisec types check --validators` reports when they
// have moved on.

import { z } from 'zod/v4';

import type {
  ApiUsageMetadata,
  AssistantSkillSettings,
  AvatarMetadata,
  ConversationMetadata,
  FileMetadata,
  KnowledgeMetadata,
  MessageMetadata,
  NotificationSettings,
  PersonalityParameters,
  PrivacySettings,
  SkillConfiguration,
  VoiceSettings,
} from './columns.js';

import {
  arrayColumn,
  booleanColumn,
  choiceColumn,
  embeddingColumn,
  integerColumn,
  jsonObjectColumn,
  jsonTextColumn,
  numericColumn,
  textColumn,
  timestampColumn,
  uuidColumn,
} from './columns.js';

/** An insert into api_usage. */
export const newApiUsage = z.strictObject({
  id: uuidColumn().optional(),
  secretary_id: uuidColumn().nullish(),
  api_name: textColumn({ max: 100, isNotBlank: true }),
  tokens_used: integerColumn(32, { atLeast: 0 }).nullish(),
  cost: numericColumn([10, 4], { atLeast: 0 }).nullish(),
  response_time_ms: integerColumn(32, { atLeast: 0 }).nullish(),
  success: booleanColumn().optional(),
  error_message: textColumn().nullish(),
  metadata: jsonObjectColumn<ApiUsageMetadata>().nullish(),
  created_at: timestampColumn().optional(),
});
/** An update of api_usage. */
export const apiUsageUpdate = newApiUsage.partial();

/** An insert into assistant_skills. */
export const newAssistantSkill = z.strictObject({
  assistant_id: uuidColumn(),
  skill_definition_id: uuidColumn(),
  is_enabled: booleanColumn().optional(),
  priority: integerColumn(32, { atLeast: 1 }).optional(),
  custom_settings: jsonObjectColumn<AssistantSkillSettings>().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of assistant_skills. */
export const assistantSkillUpdate = newAssistantSkill.partial();

/** An insert into assistants. */
export const newAssistant = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn(),
  name: textColumn({ max: 100, isNotBlank: true }),
  description: textColumn().nullish(),
  personality_template_id: uuidColumn().nullish(),
  voice_id: uuidColumn().nullish(),
  avatar_id: uuidColumn().nullish(),
  default_llm_model: textColumn({ max: 100 }).nullish(),
  custom_system_prompt: textColumn().nullish(),
  is_active: booleanColumn().optional(),
  is_public: booleanColumn().optional(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of assistants. */
export const assistantUpdate = newAssistant.partial();

/** An insert into avatars. */
export const newAvatar = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn().nullish(),
  name: textColumn({ max: 100, isNotBlank: true }),
  avatar_type: textColumn({ max: 50 }).nullish(),
  image_url: textColumn({ max: 500 }).nullish(),
  animated_url: textColumn({ max: 500 }).nullish(),
  style: textColumn({ max: 50 }).nullish(),
  gender: textColumn({ max: 20 }).nullish(),
  age_appearance: textColumn({ max: 20 }).nullish(),
  tags: arrayColumn(textColumn()).nullish(),
  metadata: jsonObjectColumn<AvatarMetadata>().nullish(),
  is_active: booleanColumn().nullish(),
  is_public: booleanColumn().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of avatars. */
export const avatarUpdate = newAvatar.partial();

/** An insert into conversations. */
export const newConversation = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn(),
  assistant_id: uuidColumn().nullish(),
  title: textColumn({ max: 200 }).nullish(),
  conversation_type: textColumn({ max: 50 }).nullish(),
  status: textColumn({ max: 50 }).nullish(),
  voice_enabled: booleanColumn().nullish(),
  voice_id: uuidColumn().nullish(),
  metadata: jsonObjectColumn<ConversationMetadata>().nullish(),
  started_at: timestampColumn().nullish(),
  ended_at: timestampColumn().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of conversations. */
export const conversationUpdate = newConversation.partial();

/** An insert into files. */
export const newStoredFile = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn(),
  conversation_id: uuidColumn().nullish(),
  message_id: uuidColumn().nullish(),
  file_name: textColumn({ max: 255, isNotBlank: true }),
  file_type: textColumn({ max: 100 }).nullish(),
  file_size: integerColumn(32, { atLeast: 0 }).nullish(),
  storage_path: textColumn({ max: 500 }).nullish(),
  mime_type: textColumn({ max: 100 }).nullish(),
  is_processed: booleanColumn().nullish(),
  metadata: jsonObjectColumn<FileMetadata>().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of files. */
export const storedFileUpdate = newStoredFile.partial();

/** An insert into knowledge_base. */
export const newKnowledge = z.strictObject({
  id: uuidColumn().optional(),
  secretary_id: uuidColumn().nullish(),
  content: textColumn(),
  embedding: embeddingColumn().nullish(),
  source_type: textColumn({ max: 50 }).nullish(),
  source_url: textColumn({ max: 500 }).nullish(),
  tags: arrayColumn(textColumn()).nullish(),
  metadata: jsonObjectColumn<KnowledgeMetadata>().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of knowledge_base. */
export const knowledgeUpdate = newKnowledge.partial();

/** An insert into messages. */
export const newMessage = z.strictObject({
  id: uuidColumn().optional(),
  conversation_id: uuidColumn(),
  role: choiceColumn(['user', 'assistant', 'system', 'tool']),
  content: textColumn().nullish(),
  content_type: textColumn({ max: 50 }).nullish(),
  parent_id: uuidColumn().nullish(),
  metadata: jsonObjectColumn<MessageMetadata>().nullish(),
  created_at: timestampColumn().optional(),
});
/** An update of messages. */
export const messageUpdate = newMessage.partial();

/** An insert into messages_archive. */
export const newArchivedMessage = z.strictObject({
  id: uuidColumn().optional(),
  conversation_id: uuidColumn(),
  role: choiceColumn(['user', 'assistant', 'system', 'tool']),
  content: textColumn().nullish(),
  content_type: textColumn({ max: 50 }).nullish(),
  parent_id: uuidColumn().nullish(),
  metadata: jsonObjectColumn<MessageMetadata>().nullish(),
  created_at: timestampColumn().optional(),
});
/** An update of messages_archive. */
export const archivedMessageUpdate = newArchivedMessage.partial();

/** An insert into personality_templates. */
export const newPersonalityTemplate = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn().nullish(),
  name: textColumn({ max: 100, isNotBlank: true }),
  description: textColumn().nullish(),
  template_type: textColumn({ max: 50 }).nullish(),
  system_prompt: textColumn().nullish(),
  parameters: jsonObjectColumn<PersonalityParameters>().nullish(),
  is_active: booleanColumn().nullish(),
  is_public: booleanColumn().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of personality_templates. */
export const personalityTemplateUpdate = newPersonalityTemplate.partial();

/** An insert into skill_definitions. */
export const newSkillDefinition = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn().nullish(),
  skill_code: textColumn({ max: 10, isNotBlank: true }),
  name: textColumn({ max: 100, isNotBlank: true }),
  description: textColumn(),
  skill_type: textColumn({ max: 50, isNotBlank: true }),
  configuration: jsonObjectColumn<SkillConfiguration>(),
  is_public: booleanColumn().optional(),
  is_active: booleanColumn().optional(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of skill_definitions. */
export const skillDefinitionUpdate = newSkillDefinition.partial();

/** An insert into system_settings. */
export const newSystemSetting = z.strictObject({
  id: uuidColumn().optional(),
  key: textColumn({ max: 255, isNotBlank: true }),
  value: jsonTextColumn(),
  description: textColumn().nullish(),
  updated_at: timestampColumn().optional(),
});
/** An update of system_settings. */
export const systemSettingUpdate = newSystemSetting.partial();

/** An insert into user_preferences. */
export const newUserPreferences = z.strictObject({
  user_id: uuidColumn(),
  theme: textColumn({ max: 50 }).nullish(),
  language: textColumn({ max: 10 }).nullish(),
  timezone: textColumn({ max: 50 }).nullish(),
  notification_settings: jsonObjectColumn<NotificationSettings>().nullish(),
  privacy_settings: jsonObjectColumn<PrivacySettings>().nullish(),
  default_assistant_id: uuidColumn().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of user_preferences. */
export const userPreferencesUpdate = newUserPreferences.partial();

/** An insert into users. */
export const newUser = z.strictObject({
  id: uuidColumn().optional(),
  username: textColumn({ max: 50, isNotBlank: true }),
  email: textColumn({ max: 255, isNotBlank: true }),
  password_hash: textColumn({ max: 255, isNotBlank: true }),
  first_name: textColumn({ max: 100 }).nullish(),
  last_name: textColumn({ max: 100 }).nullish(),
  is_active: booleanColumn().optional(),
  is_verified: booleanColumn().optional(),
  last_login_at: timestampColumn().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of users. */
export const userUpdate = newUser.partial();

/** An insert into voices. */
export const newVoice = z.strictObject({
  id: uuidColumn().optional(),
  user_id: uuidColumn().nullish(),
  name: textColumn({ max: 100, isNotBlank: true }),
  provider: textColumn({ max: 50 }).nullish(),
  voice_id: textColumn({ max: 100 }).nullish(),
  language: textColumn({ max: 10 }).nullish(),
  gender: textColumn({ max: 20 }).nullish(),
  age_group: textColumn({ max: 20 }).nullish(),
  description: textColumn().nullish(),
  sample_url: textColumn({ max: 500 }).nullish(),
  settings: jsonObjectColumn<VoiceSettings>().nullish(),
  is_active: booleanColumn().nullish(),
  is_public: booleanColumn().nullish(),
  created_at: timestampColumn().optional(),
  updated_at: timestampColumn().optional(),
});
/** An update of voices. */
export const voiceUpdate = newVoice.partial();
