/** A number for people: `601,234`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}
