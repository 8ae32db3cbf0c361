import { didYouMean } from '../../../base/did-you-mean.js';
import { parseDurationMs } from '../../../base/duration.js';

/** What a migration may take, by `-- aisec: max-lock 500ms` and `-- aisec: max-time 5s`. */
export interface Bounds {
  /** The longest that it may hold a lock which keeps readers or writers of a table waiting; null: any time. */
  readonly maxLockMs: number | null;
  /** The longest that its Up section may run; null: any time. */
  readonly maxTimeMs: number | null;
}

export const NO_BOUNDS: Bounds = { maxLockMs: null, maxTimeMs: null };

/** What the directives of a file say, as far as it was read. */
export interface Directed {
  isTransactional: boolean;
  irreversibleReason: string | undefined;
  readonly requires: string[];
  bounds: Bounds;
}

const DIRECTIVES = ['no-transaction', 'irreversible', 'requires', 'max-lock', 'max-time'];
const REQUIRED_NAME = /^\d{4}(?:_[a-z0-9_]+)?$/;

function readRequires(names: readonly string[], directed: Directed, report: (message: string) => void): void {
  const bad = names.find((name) => !REQUIRED_NAME.test(name));
  if (names.length === 0 || bad !== undefined)
    return report('"requires" names bundled migrations by number or name: -- aisec: requires 0012');
  directed.requires.push(...names);
}

function readBound(
  word: 'max-lock' | 'max-time',
  values: readonly string[],
  directed: Directed,
  report: (message: string) => void,
): void {
  const boundMs = values.length === 1 ? parseDurationMs(values[0] ?? '') : undefined;
  if (boundMs === undefined || boundMs === 0)
    return report(`"${word}" needs a duration with its unit: -- aisec: ${word} 500ms`);
  const key = word === 'max-lock' ? 'maxLockMs' : 'maxTimeMs';
  if (directed.bounds[key] !== null) return report(`a second "${word}"`);
  directed.bounds = { ...directed.bounds, [key]: boundMs };
}

/** Reads what stands behind `-- aisec:`; what cannot be read is reported. */
export function readDirective(text: string, directed: Directed, report: (message: string) => void): void {
  if (text === 'no-transaction') {
    directed.isTransactional = false;
    return;
  }
  const reason = /^irreversible "(.+)"$/.exec(text)?.[1];
  if (reason !== undefined) {
    directed.irreversibleReason = reason;
    return;
  }
  const [word = '', ...rest] = text.split(/[\s,]+/).filter((part) => part !== '');
  if (word === 'requires') return readRequires(rest, directed, report);
  if (word === 'max-lock' || word === 'max-time') return readBound(word, rest, directed, report);
  if (word === 'irreversible') return report('"irreversible" needs its reason: -- aisec: irreversible "reason"');
  const near = didYouMean(word, DIRECTIVES);
  report(`unknown directive "${word}"${near === undefined ? '' : `; did you mean "${near}"?`}`);
}
