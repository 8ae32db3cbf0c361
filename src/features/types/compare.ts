/** One line that is only on one side: `+` of the database, `-` of the file. */
export interface ChangedLine {
  readonly sign: '+' | '-';
  /** In its own text, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The lines of the longest common subsequence are the unchanged ones; a file of types has a few hundred. */
export function changedLines(file: string, wanted: string): readonly ChangedLine[] {
  const [old, now] = [file.split('\n'), wanted.split('\n')];
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  const at = (row: number, column: number): number => lengths[row]?.[column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = now.length - 1; column >= 0; column -= 1) {
      const length =
        old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
      const cells = lengths[row];
      if (cells !== undefined) cells[column] = length;
    }
  }
  const changes: ChangedLine[] = [];
  let [row, column] = [0, 0];
  while (row < old.length || column < now.length) {
    if (row < old.length && column < now.length && old[row] === now[column]) {
      row += 1;
      column += 1;
    } else if (row < old.length && (column === now.length || at(row + 1, column) >= at(row, column + 1))) {
      changes.push({ sign: '-', line: row + 1, text: old[row] ?? '' });
      row += 1;
    } else {
      changes.push({ sign: '+', line: column + 1, text: now[column] ?? '' });
      column += 1;
    }
  }
  return changes;
}
