/**
 * What people and assistants say in one language. `{person}`, `{company}`, `{project}`, `{place}`, `{day}`, `{time}`,
 * `{amount}` and `{count}` are filled in; the first three are the same all through a conversation.
 */
export interface DemoTexts {
  readonly timeZone: string;
  readonly utcOffsetHours: number;
  readonly language: string;
  readonly currency: string;
  /** As written, and in Latin letters for login names. */
  readonly givenNames: readonly (readonly [name: string, latin: string])[];
  readonly familyNames: readonly (readonly [name: string, latin: string])[];
  /** `{person}` of a family name: `佐藤さん`, `Ms Clark`. */
  readonly address: (familyName: string) => string;
  readonly companies: readonly string[];
  readonly projects: readonly string[];
  readonly places: readonly string[];
  readonly days: readonly string[];
  readonly assistants: readonly (readonly [name: string, description: string])[];
  readonly voices: readonly (readonly [name: string, gender: string, ageGroup: string])[];
  readonly avatars: readonly (readonly [name: string, style: string, gender: string])[];
  readonly personalities: readonly (readonly [name: string, type: string, prompt: string])[];
  readonly system: string;
  readonly failures: readonly string[];
  readonly topics: readonly DemoTopic[];
}

export interface DemoTopic {
  readonly code: string;
  /** The skill an assistant has for it. */
  readonly skill: string;
  readonly titles: readonly string[];
  readonly questions: readonly string[];
  readonly answers: readonly string[];
  readonly replies: readonly string[];
  readonly toolResults: readonly string[];
  /** Pieces of knowledge. */
  readonly facts: readonly string[];
  readonly files: readonly string[];
}
