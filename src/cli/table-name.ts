import { AisecError } from '../base/errors.js';
import { parseTableName, type GivenTable } from '../base/table-name.js';

/** Reads `messages`, `app.messages`, `"odd name"."My.Table"`. @throws AisecError USAGE. */
export function tableOption(text: string): GivenTable {
  const name = parseTableName(text);
  if (name !== undefined) return name;
  throw new AisecError('USAGE', `invalid table name "${text}"`, {
    hint: 'Give messages, app.messages, or with quotes: \'"My Table"\'.',
  });
}
