import { groupBy } from './group-by.js';

/** A number for people: `601,234`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** A number with its noun, and a verb where it has one: `1 row`, `2 rows`, `0 sessions wait`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${formatCount(more)} more` : names.join(', ');
}

/** `2 applied, 1 pending`: how often there is each word, in the order in which they come; empty for none. */
export function countEach(words: readonly string[]): string {
  return [...groupBy(words, (word) => word)].map(([word, { length }]) => `${length} ${word}`).join(', ');
}
