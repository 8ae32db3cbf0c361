import type { ColumnType, InsertType, SelectType, UpdateType } from 'kysely';

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

/** A column with a default: it may be left out of an insert. */
export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;

/** `bigint`, whose numbers may be larger than those of JavaScript. */
export type Int8 = ColumnType<string, bigint | number | string, bigint | number | string>;

/** `numeric`: exact, however many digits. */
export type Numeric = ColumnType<string, number | string, number | string>;

/** `timestamptz`. `infinity` is the last Date there is, `new Date(8.64e15)`, and is written by it; `-infinity` the first. */
export type Timestamp = ColumnType<Date, Date | string, Date | string>;

/** `bytea`. What is read is a Buffer. */
export type Bytes = ColumnType<Uint8Array, Uint8Array, Uint8Array>;

/** An array: PostgreSQL lets every element be null. */
export type ArrayOf<T> = ColumnType<
  (SelectType<T> | null)[],
  readonly (InsertType<T> | null)[],
  readonly (UpdateType<T> | null)[]
>;

/**
 * An array that is written as text: of boxes, which have commas themselves, or of a domain of arrays, whose elements are
 * texts in braces.
 */
export type ReadArrayOf<T> = ColumnType<(SelectType<T> | null)[], string, string>;

/** A `vector` or `halfvec` column of pgvector: read as number[], written as text (`toVector(numbers)` of `aisec` checks and writes it). */
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
