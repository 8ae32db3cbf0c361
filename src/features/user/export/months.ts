import { tableIn } from '../../../adapters/catalog/references/reference.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { exportedMonths, readExportedMessages } from '../../messages/index.js';
import type { ExportedFileMonth } from './manifest.js';

/** The ids of the person's conversations. */
export async function conversationIds(
  session: Session,
  choice: ChosenRows,
  schema: string,
): Promise<ReadonlySet<string>> {
  const { rows } = await session.query<{ id: string }>(
    `select scratch.id::text as id from ${choice.join(tableIn(schema, 'conversations'))}`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** Months that are only in files of `archive export`. */
export async function monthsInFiles(session: Session, schema: string): Promise<readonly ExportedFileMonth[]> {
  const all = await exportedMonths(session, schema);
  const only = all.filter(({ isInDatabase }) => !isInDatabase);
  const months = [...new Set(only.map(({ month }) => month))].toSorted();
  return months.map((month) => {
    const found = only.find((each) => each.month === month && each.isHere) ?? only.find((each) => each.month === month);
    return {
      month,
      source: found?.file ?? '',
      rows: found?.isHere === true ? 0 : null,
      reason: found?.isHere === true ? null : 'the file is not on this machine',
    };
  });
}

/** The messages of the conversations in a month's file, as lines. */
export async function* ndjsonOfMonth(
  { source }: ExportedFileMonth,
  conversations: ReadonlySet<string>,
  onRow: () => void,
): AsyncGenerator<string> {
  for await (const line of readExportedMessages(source, conversations)) {
    onRow();
    yield `${line}\n`;
  }
}
