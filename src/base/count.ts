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
