/** `y2026m11`, in UTC: what was made with the months of one month does not serve in the next. */
export function monthOfNow(): string {
  return new Date()
    .toISOString()
    .slice(0, 7)
    .replace(/^(\d+)-/, 'y$1m');
}
