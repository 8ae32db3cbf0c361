import { tableIn, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { readCursor } from '../../../adapters/postgres/read-cursor.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { html, htmlDocument, type Html } from '../../monitor/index.js';
import type { ExportedFileMonth, ExportedRows, PersonManifest } from './manifest.js';
import { readRows, type ExportedTable } from './rows.js';
import { WORDS, type Language } from './words.js';

/** Where what is streamed stands in the document. */
const BODY = 'aisec-body';
/** Of a table other than messages; all of them are in its file. */
const MOST_ROWS = 200;

export interface PageData extends Pick<PersonManifest, 'database' | 'snapshotAt' | 'scope' | 'leftOutColumns'> {
  readonly language: Language;
  readonly schema: string;
  readonly tables: readonly ExportedRows[];
  readonly months: readonly ExportedFileMonth[];
}

interface MessageRow {
  readonly conversation: string;
  readonly title: string | null;
  readonly role: keyof (typeof WORDS)['en']['role'];
  readonly content: string | null;
  readonly at: string;
}

function head(data: PageData): Html {
  const words = WORDS[data.language];
  const cells = data.tables.map(
    ({ table, rows, file }) =>
      html`<tr>
        <th scope="row">${table}</th>
        <td class="number">${rows}</td>
        <td>${file}</td>
      </tr>`,
  );
  const missing = [
    data.leftOutColumns.length > 0 && words.secrets(data.leftOutColumns.join(', ')),
    ...data.tables.filter(({ hiddenRows }) => hiddenRows > 0).map((row) => words.hidden(row.hiddenRows, row.table)),
    ...data.months.filter(({ rows }) => rows === null).map(({ month }) => words.missing(month)),
  ].filter((line) => line !== false);
  return html`<h1>${words.title}</h1>
    <p class="meta">${words.made} ${data.snapshotAt}, ${words.database} ${data.database}. ${words.scope[data.scope]}</p>
    <h2>${words.tables}</h2>
    <table>
      <thead>
        <tr>
          <th scope="col">${words.table}</th>
          <th scope="col" class="number">${words.rows}</th>
          <th scope="col">${words.file}</th>
        </tr>
      </thead>
      <tbody>
        ${cells}
      </tbody>
    </table>
    ${missing.length > 0 && html`<h2>${words.leftOut}</h2>`}
    <ul>
      ${missing.map((line) => html`<li>${line}</li>`)}
    </ul> `;
}

function hasMessages(key: TableKey, schema: string): boolean {
  return key === tableIn(schema, 'messages') || key === tableIn(schema, 'messages_archive');
}

async function* conversations(
  session: Session,
  choice: ChosenRows,
  tables: readonly ExportedTable[],
  data: PageData,
): AsyncGenerator<string> {
  const words = WORDS[data.language];
  const parts: string[] = [];
  for (const { key } of tables.filter(({ key: each }) => hasMessages(each, data.schema)))
    for (const part of await choice.parts(key))
      parts.push(
        `select source.conversation_id, source.role, source.content, source.created_at, source.id
         from ${choice.joinPart(key, part, 'source')}`,
      );
  if (parts.length === 0) return;
  const rows = readCursor<MessageRow>(
    session,
    `select said.conversation_id::text as conversation, conversations.title, said.role, said.content,
       pg_catalog.to_char(said.created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as at
     from (${parts.join(' union all ')}) as said
     left join conversations on conversations.id = said.conversation_id
     order by conversations.created_at, said.conversation_id, said.created_at, said.id`,
    ({ content }) => (content?.length ?? 0) + 100,
    'aisec_page',
  );
  yield html`<h2>${words.conversations}</h2>`.text;
  let last = '';
  for await (const row of rows) {
    if (row.conversation !== last) {
      if (last !== '') yield '</details>';
      last = row.conversation;
      yield `<details><summary>${html`${row.title ?? words.untitled} <small>${row.at}</small>`.text}</summary>`;
    }
    yield html`<p><small>${row.at} ${words.role[row.role]}</small><br />${row.content ?? ''}</p>`.text;
  }
  if (last !== '') yield '</details>';
}

function valueText(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 1000)} …` : text;
}

async function* furtherTables(
  session: Session,
  choice: ChosenRows,
  tables: readonly ExportedTable[],
  data: PageData,
): AsyncGenerator<string> {
  const words = WORDS[data.language];
  yield html`<h2>${words.others}</h2>`.text;
  for (const table of tables) {
    const { rows: all, table: name } = table.counted;
    if (all === 0 || hasMessages(table.key, data.schema)) continue;
    yield `<details><summary>${html`${name} (${all})`.text}</summary>`;
    let shown = 0;
    for await (const line of readRows(session, choice, table, { limit: MOST_ROWS })) {
      const fields = Object.entries(JSON.parse(line) as Record<string, string | null>);
      yield html`<table>
        ${fields.map(
          ([field, value]) =>
            value !== null &&
            html`<tr>
              <th scope="row">${field}</th>
              <td>${valueText(value)}</td>
            </tr>`,
        )}
      </table>`.text;
      shown += 1;
    }
    if (shown < all) yield html`<p class="note">${words.more(all - shown)}</p>`.text;
    yield '</details>';
  }
}

/** A page that opens without a network, with all conversations; it is written as it is read. */
export async function* personPage(
  session: Session,
  choice: ChosenRows,
  tables: readonly ExportedTable[],
  data: PageData,
): AsyncGenerator<string> {
  const document = htmlDocument(WORDS[data.language].title, html`${head(data)}${BODY}`, undefined, data.language);
  const [before = '', after = ''] = document.split(BODY);
  yield before;
  yield* conversations(session, choice, tables, data);
  yield* furtherTables(session, choice, tables, data);
  yield after;
}
