import type { Session } from '../../adapters/postgres/session.js';
import { printTypes } from './print-types.js';
import { readRelations } from './relations.js';
import type { LeftOut, Selection } from './selection.js';

export interface GeneratedText {
  readonly text: string;
  readonly leftOut: readonly LeftOut[];
}

/**
 * The text of the types, the same for the same schema. `importFrom` is the module of the column and jsonb types:
 * `aisec/schema`.
 *
 * @throws AisecError USAGE for a selection that names what is not there, DATABASE_FAILED.
 */
export async function generateTypes(
  session: Session,
  selection: Selection,
  importFrom: string,
): Promise<GeneratedText> {
  const { relations, leftOut } = await readRelations(session, selection);
  return { text: printTypes(relations, importFrom), leftOut };
}
