function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The known name nearest to a mistyped one, or undefined when none is near. */
export function didYouMean(wanted: string, known: readonly string[]): string | undefined {
  const byDistance = known
    .map((name) => ({ name, edits: name.includes(wanted) ? 1 : distance(wanted, name) }))
    .toSorted((a, b) => a.edits - b.edits);
  const best = byDistance[0];
  return best !== undefined && best.edits <= Math.max(2, Math.floor(wanted.length / 3)) ? best.name : undefined;
}
