import { cutName } from '../../../base/bounded-name.js';

/** What a copy's object is called: as before, with the new name of the table in place of the old one. */
export function renamed(object: string, table: string, as: string): string {
  return object.includes(table) ? object.replace(table, () => as) : `${as}_${object}`;
}

/** The name, or one like it that is not taken and that PostgreSQL does not cut; it is taken from then on. */
export function takeName(wanted: string, taken: Set<string>): string {
  for (let count = 1; ; count += 1) {
    const suffix = count === 1 ? '' : `_${count}`;
    const name = `${cutName(wanted, Buffer.byteLength(suffix))}${suffix}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
