/** `~1200` for an estimate, `?` when nothing is known. */
export function rowsText(rows: number | null, areExact: boolean): string {
  if (rows === null) return '?';
  return `${areExact ? '' : '~'}${Math.round(rows)}`;
}
