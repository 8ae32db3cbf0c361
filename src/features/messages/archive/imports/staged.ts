import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../../base/errors.js';
import { quoteIdentifier } from '../../../../base/identifier.js';
import { addMonths, monthStart, type Month } from '../../../../base/month.js';
import type { Root } from '../../partition.js';

/** What the staged messages are like, counted by the server. */
export interface StagedFacts {
  readonly rows: number;
  readonly outside_month: number;
  readonly doubled_ids: number;
  readonly existing_ids: number;
  readonly missing_conversations: number;
  readonly missing_parents: number;
  readonly some_existing: readonly string[];
  readonly some_conversations: readonly string[];
  readonly some_parents: readonly string[];
}

/** What to do with messages whose references do not exist any more. */
export interface MissingReferences {
  /** Replies to messages that do not exist lose the reference. */
  readonly nullsParents: boolean;
  /** Messages whose conversation does not exist are left out. */
  readonly skipsOrphans: boolean;
}

export async function readStaged(session: Session, month: Month): Promise<StagedFacts> {
  const bounds = [monthStart(month), monthStart(addMonths(month, 1))];
  const { rows } = await session.query<StagedFacts>(sqlFile('archive/import-findings'), bounds);
  const [row] = rows;
  if (row === undefined) throw new AisecError('INTERNAL', 'the staged messages could not be counted');
  return row;
}

/** @throws AisecError EXPORT_INVALID, ARCHIVE_BLOCKED naming the first ids. */
export function refuseStaged(
  file: string,
  staged: StagedFacts,
  expectedRows: number,
  missing: MissingReferences,
): void {
  const invalid = [
    ...(staged.rows === expectedRows ? [] : [`${staged.rows} of ${expectedRows} messages were loaded`]),
    ...(staged.outside_month === 0 ? [] : [`${staged.outside_month} messages are not of its month`]),
    ...(staged.doubled_ids === 0 ? [] : [`${staged.doubled_ids} ids occur twice`]),
  ];
  if (invalid.length > 0)
    throw new AisecError('EXPORT_INVALID', `could not use the export "${file}"`, {
      detail: `${invalid.join('; ')}.`,
      hint: 'No changes were made. Use another copy of the file.',
    });
  const list = (count: number, some: readonly string[]): string =>
    `${some.join(', ')}${count > some.length ? ` and ${count - some.length} more` : ''}`;
  const problems: string[] = [];
  const hints: string[] = [];
  if (staged.existing_ids > 0) {
    problems.push(`These messages exist already: ${list(staged.existing_ids, staged.some_existing)}.`);
    hints.push('delete the messages that exist first, if those of the file are to replace them');
  }
  if (staged.missing_conversations > 0 && !missing.skipsOrphans) {
    problems.push(
      `The conversation of these messages does not exist: ${list(staged.missing_conversations, staged.some_conversations)}.`,
    );
    hints.push('--skip-orphans leaves messages without a conversation out');
  }
  if (staged.missing_parents > 0 && !missing.nullsParents) {
    problems.push(
      `These messages answer one that does not exist: ${list(staged.missing_parents, staged.some_parents)}.`,
    );
    hints.push('--null-missing-references imports replies without the message they answer');
  }
  if (problems.length === 0) return;
  throw new AisecError('ARCHIVE_BLOCKED', `the messages of "${file}" cannot be imported`, {
    detail: problems.join(' '),
    hint: `No changes were made; ${hints.join('; ')}.`,
  });
}

/** Drops the references that do not exist, as the caller has decided. */
export async function adaptStaged(session: Session, staged: StagedFacts, missing: MissingReferences): Promise<void> {
  if (staged.missing_conversations > 0 && missing.skipsOrphans)
    await session.query(
      'delete from aisec_import where not exists (select from conversations c where c.id = aisec_import.conversation_id)',
    );
  // Replies to messages that are left out lose their parent, too.
  if (missing.nullsParents || staged.missing_conversations > 0)
    await session.query(
      `update aisec_import
       set parent_id = null
       where parent_id is not null
         and not exists (select from message_keys k where k.id = aisec_import.parent_id)
         and not exists (select from aisec_import own where own.id = aisec_import.parent_id)`,
    );
}

/** How many of the staged messages the table does not hold exactly as they are staged. */
export async function countDifferent(session: Session, root: Root, month: Month): Promise<number> {
  const { rows: columns } = await session.query<{ name: string }>(sqlFile('archive/target-columns'));
  const values = (alias: string): string => columns.map(({ name }) => `${alias}.${quoteIdentifier(name)}`).join(', ');
  const { rows } = await session.query<{ different: number }>(
    `select count(*)::float8 as different
     from aisec_import staged
     where not exists (
       select
       from ${root} found
       where found.id = staged.id
         and found.created_at = staged.created_at
         and found.created_at >= '${monthStart(month)}'
         and found.created_at < '${monthStart(addMonths(month, 1))}'
         and row(${values('found')})::record *= row(${values('staged')})::record
     )`,
  );
  return rows[0]?.different ?? 0;
}

/** Moves the staged messages into the table with their keys; no trigger of theirs has anything left to do. */
export async function insertStaged(session: Session, root: Root): Promise<void> {
  const { rows: columns } = await session.query<{ name: string }>(sqlFile('archive/target-columns'));
  const list = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  await session.query(
    `insert into message_keys (id, created_at, parent_id)
     select id, created_at, parent_id from aisec_import`,
  );
  await session.query("set local aisec.moving_messages = 'on'");
  await session.query(`insert into ${root} (${list}) select ${list} from aisec_import`);
  await session.query("set local aisec.moving_messages = 'off'");
}
