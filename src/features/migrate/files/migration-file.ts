import { createHash } from 'node:crypto';

import type { FilePosition } from '../../../base/errors.js';
import { placeInText } from '../../../base/text-place.js';
import { NO_BOUNDS, readDirective, type Bounds, type Directed } from './directives.js';
import { BUNDLED_SOURCE, isRepeatable } from './source.js';

export interface MigrationSection {
  readonly sql: string;
  /** Line of the file that the first character of `sql` stands on, from 1. */
  readonly line: number;
}

/** `verify/NAME.sql`: checks that run at the end of the migration of that name, which is rolled back when one is false. */
export interface Verification {
  readonly path: string;
  readonly sql: string;
}

export interface MigrationFile {
  /** Where it comes from: `aisec` for a bundled one; its history is kept apart from that of other sources. */
  readonly source: string;
  /** `0042_add_invoices`, as node-pg-migrate records it. */
  readonly name: string;
  /** For messages: the path as the user gave the directory. */
  readonly path: string;
  /** The text with LF line ends, as it is recorded. */
  readonly content: string;
  /** SHA-256 of the text without trailing blanks: line ends and trailing blanks do not count as an edit. */
  readonly checksum: string;
  readonly up: MigrationSection;
  /** Undefined when the file says it is irreversible. */
  readonly down: MigrationSection | undefined;
  readonly irreversibleReason: string | undefined;
  readonly isTransactional: boolean;
  /** The bundled migrations that must be applied before: a number or a whole name each. */
  readonly requires: readonly string[];
  /** What a dry run and a rehearsal hold it to. */
  readonly bounds: Bounds;
  readonly verification?: Verification | undefined;
}

/** File, line and column of the character at `offset` (from 0) of a section. */
export function placeInSection(file: MigrationFile, section: MigrationSection, offset: number): Required<FilePosition> {
  return placeInText(file.path, section.sql, offset, section.line);
}

/** What the group of a pattern finds in Up sections outside of comments, each once. */
export function foundInUp(files: readonly MigrationFile[], pattern: RegExp): readonly string[] {
  const texts = files.map(({ up }) => up.sql.replaceAll(/--[^\n]*/g, ''));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, found = '']) => found)))];
}

export interface FileProblem extends FilePosition {
  readonly message: string;
}

/** What node-pg-migrate takes for a marker, anywhere in a file: such a line that is not exactly a marker cuts it in the wrong place. */
const LOOKS_LIKE_MARKER = /^\s*--[\s-]*(up|down)\s+migration/i;
const MARKER = /^-- (Up|Down) Migration$/;
const DIRECTIVE = /^--\s*aisec:\s*(.*)$/;

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** In the content: where it begins, and where the next one does. */
  readonly start: number;
  readonly next: number;
}

interface Marker {
  readonly kind: 'Up' | 'Down';
  readonly line: Line;
}

interface Draft extends Directed {
  /** A file without a marker is all Up where it may be one: a repeatable migration, a hook. */
  readonly needsMarkers: boolean;
  readonly markers: Marker[];
  readonly problems: FileProblem[];
}

function readLine(read: Line, draft: Draft, path: string): void {
  const { text: line, number } = read;
  const report = (message: string): void => {
    draft.problems.push({ file: path, line: number, excerpt: line, message });
  };
  const marker = MARKER.exec(line.trimEnd());
  if (marker !== null) {
    const kind = marker[1] as 'Up' | 'Down';
    if (draft.markers.some((seen) => seen.kind === kind)) return report(`a second "-- ${kind} Migration" marker`);
    if (kind === 'Down' && draft.markers.length === 0) return report('the Down marker stands before the Up marker');
    draft.markers.push({ kind, line: read });
    return;
  }
  if (LOOKS_LIKE_MARKER.test(line))
    return report('this looks like a marker, which is exactly "-- Up Migration" or "-- Down Migration"');
  const directive = DIRECTIVE.exec(line.trim());
  if (directive !== null) {
    if (draft.markers.length > 0) return report('a directive must stand before the Up marker');
    return readDirective(directive[1]?.trim() ?? '', draft, report);
  }
  const isBeforeUp = draft.markers.length === 0 && draft.problems.length === 0;
  if (draft.needsMarkers && isBeforeUp && line.trim() !== '' && !line.trimStart().startsWith('--'))
    report('SQL before the "-- Up Migration" marker would never run');
}

/** A file may have a million lines, so they are not kept. */
function* linesOf(content: string): Generator<Line> {
  let [number, start] = [1, 0];
  for (let end = content.indexOf('\n'); end !== -1; end = content.indexOf('\n', start)) {
    yield { text: content.slice(start, end), number, start, next: end + 1 };
    number += 1;
    start = end + 1;
  }
  yield { text: content.slice(start), number, start, next: content.length };
}

const BLANKS_AND_COMMENTS = /^(?:\s+|--[^\n]*)*/;

function hasSql(text: string): boolean {
  return (BLANKS_AND_COMMENTS.exec(text)?.[0].length ?? 0) < text.length;
}

/** Line ends as LF, without a byte order mark. */
function normalise(raw: string): string {
  return raw.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
}

const HASHED_CHARACTERS = 1024 * 1024;

/** SHA-256 over the text without trailing blanks and blank end. */
export function checksumOf(content: string): string {
  const text = content.replaceAll(/[ \t]+$/gm, '').trimEnd();
  const hash = createHash('sha256');
  // In parts: each is copied as UTF-8. None may end between the two halves of a character.
  let start = 0;
  while (start < text.length) {
    const end = start + HASHED_CHARACTERS;
    const last = text.charCodeAt(end - 1);
    const isCut = last >= 0xd8_00 && last <= 0xdb_ff;
    const next = isCut ? end + 1 : end;
    hash.update(text.slice(start, next));
    start = next;
  }
  return hash.digest('hex');
}

type Parsed = { readonly file?: MigrationFile; readonly problems: readonly FileProblem[] };

function unreadable(path: string, content: string): Parsed | undefined {
  const nul = content.indexOf('\0');
  if (nul !== -1) {
    const line = content.slice(0, nul).split('\n').length;
    return {
      problems: [{ file: path, line, message: 'the file holds a NUL character, which PostgreSQL cannot read' }],
    };
  }
  return content.trim() === '' ? { problems: [{ file: path, line: 1, message: 'the file is empty' }] } : undefined;
}

interface Sections {
  readonly up: MigrationSection;
  readonly down: MigrationSection | undefined;
}

function sectionsOf(content: string, draft: Draft): Sections | undefined {
  const section = (marker: Line | undefined, end: number = content.length): MigrationSection => ({
    sql: content.slice(marker?.next ?? 0, end).trimEnd(),
    line: (marker?.number ?? 0) + 1,
  });
  const upMarker = draft.markers.find((marker) => marker.kind === 'Up');
  const downMarker = draft.markers.find((marker) => marker.kind === 'Down');
  if (upMarker === undefined) return draft.needsMarkers ? undefined : { up: section(undefined), down: undefined };
  const up = section(upMarker.line, downMarker?.line.start);
  return { up, down: downMarker === undefined ? undefined : section(downMarker.line) };
}

/** What is wrong with sections that were found where markers say. */
function sectionProblems(
  { up, down }: Sections,
  { irreversibleReason, isTransactional, needsMarkers }: Draft,
  lastLine: number,
): readonly { readonly line: number; readonly message: string }[] {
  const problems: { line: number; message: string }[] = [];
  const [upLine, downLine] = [up.line - 1 || 1, (down?.line ?? 2) - 1];
  if (!hasSql(up.sql)) problems.push({ line: upLine, message: 'the Up section is empty' });
  if (down !== undefined && irreversibleReason !== undefined)
    problems.push({ line: downLine, message: 'an irreversible migration has no Down section' });
  if (down !== undefined && !hasSql(down.sql))
    problems.push({
      line: downLine,
      message:
        'the Down section is empty; if there is no way back, leave it out and begin the file with -- aisec: irreversible "reason"',
    });
  if (needsMarkers && down === undefined && irreversibleReason === undefined)
    problems.push({
      line: lastLine,
      message:
        'there is no "-- Down Migration" marker; if there is no way back, say why with -- aisec: irreversible "reason"',
    });
  if (!needsMarkers && !isTransactional)
    problems.push({ line: 1, message: 'a repeatable migration and a hook run in a transaction' });
  return problems;
}

/**
 * Reads one migration file. All problems are reported at once, each with its line.
 *
 * @param name decides what the file is: `0042_add_invoices`, `R__invoice_summary` (repeatable) or a hook, `after_up`; the
 *   latter two need no markers.
 */
export function parseMigrationFile(path: string, name: string, raw: string, source = BUNDLED_SOURCE): Parsed {
  const content = normalise(raw);
  const bad = unreadable(path, content);
  if (bad !== undefined) return bad;
  const needsMarkers = /^\d/.test(name);
  const draft: Draft = {
    needsMarkers,
    markers: [],
    problems: [],
    isTransactional: true,
    irreversibleReason: undefined,
    requires: [],
    bounds: NO_BOUNDS,
  };
  let lastLine = 0;
  for (const line of linesOf(content)) {
    readLine(line, draft, path);
    lastLine = line.number;
  }
  const sections = sectionsOf(content, draft);
  if (sections === undefined) {
    if (draft.problems.length === 0)
      draft.problems.push({ file: path, line: 1, message: 'there is no "-- Up Migration" marker' });
    return { problems: draft.problems };
  }
  for (const problem of sectionProblems(sections, draft, lastLine)) draft.problems.push({ file: path, ...problem });
  if (draft.problems.length > 0) return { problems: draft.problems };
  const { isTransactional, requires, bounds } = draft;
  const irreversibleReason =
    draft.irreversibleReason ?? (isRepeatable({ name }) ? 'it is repeatable and has no Down section' : undefined);
  const checksum = checksumOf(content);
  return {
    problems: [],
    file: { source, name, path, content, checksum, ...sections, irreversibleReason, isTransactional, requires, bounds },
  };
}
