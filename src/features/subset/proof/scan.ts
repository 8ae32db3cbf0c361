import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { countText, listed } from '../../../base/count.js';
import { nameInSql } from '../../../base/identifier.js';
import { replaceJson } from '../mask/json-strings.js';
import type { ClassedColumn } from '../read/classify.js';
import { readRows } from '../read/read-rows.js';
import { type Slice } from '../read/slice.js';
import type { Originals } from './originals.js';
import { eachOriginal, textsOf } from './read-originals.js';

/** What was compared, and that nothing was found. */
export interface ScanResult {
  /** Texts of the result that were looked through. */
  readonly texts: number;
  /** Different originals that were looked for. */
  readonly emails: number;
  readonly names: number;
  /** Runs of 12 characters. */
  readonly runs: number;
}

interface Found {
  readonly place: string;
  readonly kind: 'email' | 'name' | 'text';
  readonly text: string;
}

const MOST_FOUND = 1000;
const CODE = /^[\x21-\x7e]{0,64}$/;

const READABLE = new Set(['S', 'U']);

/** Every column that can hold text: also those whose class says that it is not personal. */
function isText({ category, base, piiClass, is_generated: isGenerated }: ClassedColumn): boolean {
  if (isGenerated || base === 'uuid' || base === 'bytea' || piiClass === 'embedding' || piiClass === 'password')
    return false;
  return READABLE.has(category) || piiClass !== 'none';
}

function piecesOf(column: ClassedColumn, value: string | null): readonly string[] {
  const texts = textsOf(column, value);
  if (column.base !== 'json' && column.base !== 'jsonb') return texts;
  const pieces: string[] = [];
  for (const text of texts)
    replaceJson(text, ({ kind, value: piece }) => {
      if (kind === 'string' || (kind === 'key' && !CODE.test(piece))) pieces.push(piece);
      return undefined;
    });
  return pieces;
}

/** Runs are found by hashes: which of them really stand in an original text? */
async function confirm(source: Session, slice: Slice, found: readonly Found[]): Promise<readonly Found[]> {
  const suspected = new Set(found.filter(({ kind }) => kind === 'text').map(({ text }) => text));
  const confirmed = new Set<string>();
  if (suspected.size > 0)
    await eachOriginal(source, slice, (piiClass, value) => {
      const texts: string[] = [];
      if (piiClass === 'text') texts.push(value);
      if (piiClass === 'json')
        replaceJson(value, ({ kind, value: piece }) => {
          if (kind === 'string') texts.push(piece);
          return undefined;
        });
      for (const text of texts) for (const run of suspected) if (text.includes(run)) confirmed.add(run);
    });
  return found.filter(({ kind, text }) => kind !== 'text' || confirmed.has(text));
}

/**
 * Looks through every text of the result for e-mail addresses, names and runs of the original rows.
 *
 * @throws AisecError SUBSET_UNMASKED naming the columns, never the values.
 */
export async function scanResult(
  target: Session,
  source: Session,
  slice: Slice,
  originals: Originals,
): Promise<ScanResult> {
  let texts = 0;
  const found: Found[] = [];
  for (const key of slice.keys) {
    const columns = (slice.columnsOf.get(key) ?? []).filter(isText);
    if (columns.length === 0) continue;
    for await (const rows of readRows(target, columns, `${key} as source`))
      for (const row of rows)
        for (const [index, column] of columns.entries())
          for (const text of piecesOf(column, row[index] ?? null)) {
            texts += 1;
            const hit = originals.find(text, { isCode: column.piiClass === 'none' && CODE.test(text) });
            if (hit === undefined || found.length >= MOST_FOUND) continue;
            const place = [column.schema, column.table, column.column].map(nameInSql).join('.');
            found.push({ place, kind: hit.kind, text: text.slice(hit.from, hit.to) });
          }
  }
  const confirmed = await confirm(source, slice, found);
  if (confirmed.length === 0) return { texts, ...originals.counts };
  const places = [...new Set(confirmed.map(({ place }) => place))];
  const kinds = { email: 'e-mail address', name: 'name', text: 'run of an original text' };
  const what = [...new Set(confirmed.map(({ kind }) => kinds[kind]))].join(', ');
  throw new AisecError('SUBSET_UNMASKED', `originals stand in the masked result: ${listed(places)}`, {
    detail: `${countText(confirmed.length, 'text')} of the result: ${what}. The result was deleted.`,
    hint: 'If the class of a column does not fit what it holds, declare another one in its comment, such as pii: text.',
  });
}
