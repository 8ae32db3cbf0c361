import { AisecError, messageOf } from '../base/errors.js';
import type { Finding } from '../base/finding.js';

/** An entry of an ignore file. */
export interface Ignore {
  /** Of a finding (`rls-off:notes`), or of a check: all of its findings. `*` stands for any characters. */
  readonly id: string;
  readonly reason: string;
  /** The last day it holds, in UTC: `2027-03-31`. */
  readonly until: string;
}

/** What is said about a finding that is left out. */
export interface IgnoredBy {
  readonly reason: string;
  readonly until: string;
}

/** An entry that does nothing: expired, of an unknown check, or of nothing that is found any more. */
export interface IgnoreProblem {
  readonly id: string;
  readonly problem: string;
}

const DAY = /^\d{4}-\d\d-\d\d$/;

function isDay(text: string): boolean {
  return (
    DAY.test(text) && new Date(`${text}T00:00:00Z`).toString() !== 'Invalid Date' && toDay(new Date(text)) === text
  );
}

function toDay(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

function invalid(file: string, problem: string): AisecError {
  return new AisecError('CONFIG_INVALID', `"${file}" ${problem}`, {
    hint: 'It looks like this: {"ignore": [{"id": "rls-off:notes", "reason": "public data", "until": "2027-03-31"}]}',
  });
}

function entryOf(value: unknown, position: number, file: string): Ignore {
  const where = `has an entry ${position + 1}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(file, `${where} that is not an object`);
  const { id, reason, until, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(file, `${where} with the unknown field "${unknown}"`);
  if (typeof id !== 'string' || id.trim() === '') throw invalid(file, `${where} without an id`);
  if (typeof reason !== 'string' || reason.trim() === '') throw invalid(file, `${where} (${id}) without a reason`);
  if (typeof until !== 'string' || !isDay(until))
    throw invalid(file, `${where} (${id}) whose "until" is not a day such as 2027-03-31`);
  return { id, reason: reason.trim(), until };
}

/** Reads the text of an ignore file. @throws AisecError CONFIG_INVALID naming the entry. */
export function parseIgnores(text: string, file: string): readonly Ignore[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `is not JSON: ${messageOf(error)}`);
  }
  const { ignore, ...others } = (document ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(file, `has the unknown field "${unknown}"`);
  if (!Array.isArray(ignore)) throw invalid(file, 'has no list "ignore"');
  const entries = ignore.map((value, position) => entryOf(value, position, file));
  const twice = entries.find(({ id }, position) => entries.findIndex((other) => other.id === id) !== position);
  if (twice !== undefined) throw invalid(file, `ignores ${twice.id} twice`);
  return entries;
}

/** A finding, with its check where there are several. */
type Ignorable = Finding & { readonly check?: string };

function pattern(id: string): RegExp {
  const parts = id.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^]*')}$`);
}

function matches(ignore: Ignore, finding: Ignorable): boolean {
  return ignore.id === finding.check || pattern(ignore.id).test(finding.id);
}

export interface IgnoreSurroundings {
  /** Ids of all checks there are; undefined where findings have none. */
  readonly known?: ReadonlySet<string>;
  /** Ids of those that ran and could look. */
  readonly looked?: ReadonlySet<string>;
  readonly now: Date;
}

function problemOf(
  { id, reason, until }: Ignore,
  isFound: boolean,
  { known, looked, now }: IgnoreSurroundings,
): string | undefined {
  const check = id.split(':', 1)[0] ?? '';
  if (known?.has(check) === false) return `there is no check "${check}"`;
  if (!isFound)
    return looked?.has(check) === false ? undefined : 'there is no such finding any more; take the entry out';
  return until < toDay(now) ? `it was ignored until ${until}: ${reason}` : undefined;
}

/**
 * Takes the ignored findings out. An entry that has expired, that no check or no finding has, ignores nothing and is reported.
 */
export function applyIgnores<Found extends Ignorable>(
  findings: readonly Found[],
  ignores: readonly Ignore[],
  surroundings: IgnoreSurroundings,
): {
  readonly findings: readonly Found[];
  readonly ignored: readonly (Found & IgnoredBy)[];
  readonly problems: readonly IgnoreProblem[];
} {
  const problems: IgnoreProblem[] = [];
  for (const ignore of ignores) {
    const isFound = findings.some((finding) => matches(ignore, finding));
    const problem = problemOf(ignore, isFound, surroundings);
    if (problem !== undefined) problems.push({ id: ignore.id, problem });
  }
  const valid = ignores.filter(({ until }) => until >= toDay(surroundings.now));
  const ignored: (Found & IgnoredBy)[] = [];
  const left = findings.filter((finding) => {
    const ignore = valid.find((entry) => matches(entry, finding));
    if (ignore !== undefined) ignored.push({ ...finding, reason: ignore.reason, until: ignore.until });
    return ignore === undefined;
  });
  return { findings: left, ignored, problems };
}
