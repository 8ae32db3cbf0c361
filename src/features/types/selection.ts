import { AisecError } from '../../base/errors.js';

/** Which tables and views get types. */
export interface Selection {
  /** The schema of the platform, whose tables are named without it. */
  readonly schema: string;
  /** Further ones. */
  readonly schemas: readonly string[];
  /** Patterns of names; empty: all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What is there and not in the file. */
export interface LeftOut {
  /** As the file would name it. */
  readonly relation: string;
  readonly reason: 'excluded' | 'other schema' | 'no privilege';
}

/** `audit_*` is any name that begins so. */
function expressionOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

/**
 * Whether the patterns select a name.
 *
 * @throws AisecError USAGE for a pattern that selects none of `keys`.
 */
export function selector({ include, exclude }: Selection, keys: readonly string[]): (key: string) => boolean {
  for (const [option, pattern] of [
    ...include.map((each) => ['--include', each] as const),
    ...exclude.map((each) => ['--exclude', each] as const),
  ]) {
    const expression = expressionOf(pattern);
    if (keys.some((key) => expression.test(key))) continue;
    throw new AisecError('USAGE', `no table or view matches "${pattern}" of ${option}`, {
      hint: 'Give a name as the file has it, such as invoices or billing.invoices; * is any text.',
    });
  }
  const [included, excluded] = [include.map(expressionOf), exclude.map(expressionOf)];
  return (key) =>
    (included.length === 0 || included.some((each) => each.test(key))) && !excluded.some((each) => each.test(key));
}
