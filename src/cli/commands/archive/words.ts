/** `~1200` for an estimate, `?` when nothing is known. */
export function rowsText(rows: number | null, areExact: boolean): string {
  if (rows === null) return '?';
  return `${areExact ? '' : '~'}${Math.round(rows)}`;
}

const MOST_LABELS = 3;

/** `2024-01, 2024-02, 2024-03 and 5 more months`. */
export function monthsText(labels: readonly string[]): string {
  const more = labels.length - MOST_LABELS;
  const shown = labels.slice(0, MOST_LABELS).join(', ');
  return more <= 0 ? shown : `${shown} and ${more} more ${more === 1 ? 'month' : 'months'}`;
}
