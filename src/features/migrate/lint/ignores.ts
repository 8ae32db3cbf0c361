import type { MigrationFile } from '../files/migration-file.js';

/** `-- aisec-ignore RULE: reason`, in the line before a statement or the lines of comments above it. */
export interface LintIgnore {
  readonly rule: string;
  /** Empty when none was given. */
  readonly reason: string;
  /** The last day it holds, in UTC. */
  readonly until: string | undefined;
  readonly line: number;
  /** The whole file, not the next statement. */
  readonly isForFile: boolean;
}

const IGNORE = /^\s*--\s*aisec-ignore(-file)?\b\s*([^\s:]*)\s*(?::\s*(.*))?$/;
const UNTIL = /\s*\(until (\d{4}-\d\d-\d\d)\)\s*$/;

/** The ignores of a file, with the line of each, from 1. */
export function readIgnores({ content }: Pick<MigrationFile, 'content'>): readonly LintIgnore[] {
  return content.split('\n').flatMap((text, index) => {
    const match = IGNORE.exec(text);
    if (match === null) return [];
    const [, file, rule = '', said = ''] = match;
    const until = UNTIL.exec(said)?.[1];
    const reason = said.replace(UNTIL, '').trim();
    return [{ rule, reason, until, line: index + 1, isForFile: file !== undefined }];
  });
}

/** The lines above `line` that hold only comments: an ignore in one of them is for the statement at `line`. */
export function commentLinesAbove(content: string, line: number): ReadonlySet<number> {
  const lines = content.split('\n');
  const above = new Set<number>();
  for (let number = line - 1; number >= 1 && /^\s*--/.test(lines[number - 1] ?? ''); number -= 1) above.add(number);
  return above;
}
