/** PostgreSQL cuts longer names silently. */
const MOST_BYTES = 63;

/** What a copy's object is called: as before, with the new name of the table in place of the old one. */
export function renamed(object: string, table: string, as: string): string {
  return object.includes(table) ? object.replace(table, () => as) : `${as}_${object}`;
}

function cut(text: string, bytes: number): string {
  let kept = '';
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes) break;
    kept += character;
  }
  return kept;
}

/** The name, or one like it that is not taken and that PostgreSQL does not cut; it is taken from then on. */
export function takeName(wanted: string, taken: Set<string>): string {
  for (let count = 1; ; count += 1) {
    const suffix = count === 1 ? '' : `_${count}`;
    const name = `${cut(wanted, MOST_BYTES - Buffer.byteLength(suffix))}${suffix}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
