import { qualifiedName } from '../../partition.js';

/** The trigger function of a drain, and its two triggers on the default partition. */
export const MIRROR = 'aisec_mirror_default_message';
export const TRUNCATED = 'aisec_note_default_truncation';
/** Ids of messages of which the default partition and the copies may differ; null: the default partition was truncated. */
export const DIFFERENCES = 'aisec_drain_differences';

/** Quoted, with its schema. */
export function mirrorFunction(schema: string): string {
  return `${qualifiedName({ schema, name: MIRROR })}()`;
}

/** Quoted, with its schema. */
export function truncationFunction(schema: string): string {
  return `${qualifiedName({ schema, name: TRUNCATED })}()`;
}

/** Quoted, with its schema. */
export function differencesTable(schema: string): string {
  return qualifiedName({ schema, name: DIFFERENCES });
}
