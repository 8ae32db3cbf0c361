import { shellWord, schemaName } from '../../base/package/aisec-command.js';
import { countText, formatCount, listed } from '../../base/count.js';
import { formatDurationMs } from '../../base/duration.js';
import { groupBy } from '../../base/group-by.js';
import type { ErrorFields } from '../terminal/error.js';
import type { Output, Renderer } from '../terminal/output.js';
import type { Paint } from '../terminal/streams.js';
import type { SchemaOutcome, SchemaState, SeveralSchemas } from './outcome.js';

const WORST_FIRST: readonly SchemaState[] = [
  'failed',
  'refused',
  'interrupted',
  'busy',
  'findings',
  'not begun',
  'done',
];
/** A terminal shows so many schemas one by one; of more, those that are well are counted. */
const SHOWN_ONE_BY_ONE = 40;
/** So many names go into a list that can be pasted. */
const PASTED_NAMES = 50;
const LISTED_NAMES = 5;

interface Row extends Pick<SchemaOutcome, 'state' | 'summary' | 'durationMs'> {
  readonly schemas: readonly string[];
}

function worstFirst(outcomes: readonly SchemaOutcome[]): readonly SchemaOutcome[] {
  return outcomes.toSorted((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
}

/** The name of the schema is what differs in messages that are the same. */
function withoutName(text: string, schema: string): string {
  return text.replaceAll(`"${schema}"`, '"…"').replaceAll(`${schema}.`, '….');
}

function paintState(state: SchemaState, paint: Paint): string {
  if (state === 'done') return paint.green(state);
  return state === 'failed' || state === 'refused' ? paint.red(state) : paint.yellow(state);
}

function rowsOf(outcomes: readonly SchemaOutcome[], isGrouped: boolean): readonly Row[] {
  const single = ({ schema, ...outcome }: SchemaOutcome): Row => ({ ...outcome, schemas: [schema] });
  const sorted = worstFirst(outcomes);
  if (!isGrouped) return sorted.map(single);
  const well = sorted.filter(({ state }) => state === 'done');
  const groups = [...groupBy(well, ({ summary }) => summary).values()];
  return [
    ...sorted.filter(({ state }) => state !== 'done').map(single),
    ...groups.map((group) => ({
      schemas: group.map(({ schema }) => schema),
      state: 'done' as const,
      summary: group[0]?.summary ?? '',
      durationMs: group.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0),
    })),
  ];
}

function schemasText(schemas: readonly string[]): string {
  const [only = ''] = schemas;
  return schemas.length === 1 ? only : `${formatCount(schemas.length)} schemas: ${listed(schemas)}`;
}

function render({ schemas }: SeveralSchemas, { table, paint, isTTY }: Renderer): string {
  const isGrouped = isTTY && schemas.length > SHOWN_ONE_BY_ONE;
  return table(rowsOf(schemas, isGrouped), [
    { title: 'schema', value: (row) => schemasText(row.schemas) },
    { title: 'state', value: (row) => paintState(row.state, paint) },
    { title: 'result', value: (row) => row.summary },
    {
      title: 'time',
      value: (row) => (row.durationMs === null ? '' : formatDurationMs(row.durationMs)),
      align: 'right',
    },
  ]);
}

function errorLines({ message, detail, hint, sqlState, file, line }: ErrorFields): readonly string[] {
  return [
    `error: ${message}${sqlState === null ? '' : ` (SQLSTATE ${sqlState})`}`,
    ...(file === null ? [] : [`  ${file}${line === null ? '' : `:${line}`}`]),
    ...(detail === null ? [] : [`  detail: ${detail}`]),
    ...(hint === null ? [] : [`  hint: ${hint}`]),
  ];
}

/** What went wrong, once for all schemas in which it was the same. */
function failureTexts(outcomes: readonly SchemaOutcome[]): readonly string[] {
  const failed = worstFirst(outcomes).filter(({ error }) => error !== null);
  const textOf = ({ schema, error }: SchemaOutcome): string =>
    error === null ? '' : withoutName(errorLines(error).join('\n'), schema);
  return [...groupBy(failed, textOf)].map(
    ([text, group]) =>
      `${text}\n  in ${countText(group.length, 'schema')}: ${listed(
        group.map(({ schema }) => schema),
        LISTED_NAMES,
      )}`,
  );
}

function warningTexts(outcomes: readonly SchemaOutcome[]): readonly string[] {
  const warnings = outcomes.flatMap(({ schema, warnings: own }) =>
    own.map((text) => ({ schema, text: withoutName(text, schema) })),
  );
  return [...groupBy(warnings, ({ text }) => text)].map(([text, group]) => {
    const schemas = [...new Set(group.map(({ schema }) => schema))];
    return `${text}\n    in ${countText(schemas.length, 'schema')}: ${listed(schemas, LISTED_NAMES)}`;
  });
}

function countsText({ counts }: SeveralSchemas): string {
  const parts = [
    [counts.failed, 'failed'],
    [counts.refused, 'refused'],
    [counts.interrupted, 'interrupted'],
    [counts.busy, 'busy'],
    [counts.findings, 'with findings'],
    [counts.notBegun, 'not begun'],
    [counts.done, 'done'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${formatCount(count)} ${word}`)
    .join(', ');
}

/** The choice that takes in only those that are not done; undefined when all are, or none. */
function againText({ schemas }: SeveralSchemas): string | undefined {
  const left = schemas.filter(({ state }) => state !== 'done' && state !== 'findings').map(({ schema }) => schema);
  if (left.length === 0 || left.length === schemas.length) return undefined;
  if (left.length > PASTED_NAMES) return 'Run it again: what is done is passed over.';
  return `Only those that are not done: --schema ${shellWord(left.map(schemaName).join(','))}`;
}

/**
 * One document with --json. For people a line a schema, the worst first, then what went wrong, equal messages once, and last
 * the counts.
 *
 * @param isDone whether --quiet leaves out what went well
 */
export function printSchemas(output: Output, document: SeveralSchemas, isDone: boolean): void {
  const { command, database, schemas, left, durationMs } = document;
  if (!isDone || !output.options.isQuiet || output.options.isJson) output.result(document, render);
  for (const text of warningTexts(schemas)) output.warning(text);
  for (const text of failureTexts(schemas)) output.problem(text);
  if (left.length > 0)
    output.note(
      `${countText(left.length, 'schema that matches holds', 'schemas that match hold')} no migrations of aisec: ${listed(left)}.`,
    );
  const again = againText(document);
  if (again !== undefined) output.note(again);
  const where = database === null ? '' : ` of ${database}`;
  output.note(
    `aisec ${command} in ${countText(schemas.length, 'schema')}${where}: ${countsText(document)}; ${formatDurationMs(durationMs)}.`,
  );
}
