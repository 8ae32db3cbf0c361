import type { ColumnType, SelectType } from 'kysely';

/** A JSON value as `jsonb` gives it back. */
export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/**
 * A `jsonb` column that may hold any JSON value. It is written as JSON text (`JSON.stringify(value)`), since the driver
 * would send an array as an array of PostgreSQL and a text without its quotes.
 */
export type JsonText = ColumnType<JsonValue, string, string>;

/** A `vector` column of pgvector: read as number[], written as text (`toVector(numbers)` of `aisec` checks and writes it). */
export type Vector = ColumnType<number[], string, string>;

declare const isNotWritable: unique symbol;

/** There is no such value: a view cannot be written. */
export interface NotWritable {
  readonly [isNotWritable]: true;
}

/** A column of a view. With `never` instead of a type without values, Kysely would leave the column out and take any insert. */
export type ReadOnly<T> = ColumnType<SelectType<T>, NotWritable, NotWritable>;

/** GENERATED ALWAYS: PostgreSQL fills it, whatever its type is. */
export type AlwaysGenerated<T> = ColumnType<SelectType<T>, never, never>;

// What is inside the jsonb columns. The design leaves it to the applications, so these are open interfaces: a service
// that knows more adds its own fields (docs/client.md), and they hold for every query.
//
//   declare module 'aisec/schema' { interface MessageMetadata { model?: string } }

/** `voices.settings`. */
export interface VoiceSettings extends JsonObject {}
/** `avatars.metadata`. */
export interface AvatarMetadata extends JsonObject {}
/** `personality_templates.parameters`. */
export interface PersonalityParameters extends JsonObject {}
/** `skill_definitions.configuration`. */
export interface SkillConfiguration extends JsonObject {}
/** `assistant_skills.custom_settings`. */
export interface AssistantSkillSettings extends JsonObject {}
/** `conversations.metadata`. */
export interface ConversationMetadata extends JsonObject {}
/** `messages.metadata`, the same in messages_archive and all_messages. */
export interface MessageMetadata extends JsonObject {}
/** `files.metadata`. */
export interface FileMetadata extends JsonObject {}
/** `knowledge_base.metadata`. */
export interface KnowledgeMetadata extends JsonObject {}
/** `user_preferences.notification_settings`. */
export interface NotificationSettings extends JsonObject {}
/** `user_preferences.privacy_settings`. */
export interface PrivacySettings extends JsonObject {}
/** `api_usage.metadata`. */
export interface ApiUsageMetadata extends JsonObject {}
