export type PropertyValue = string | number | boolean | null | readonly string[];

/** One property that is not the same. Of an object that is only on one side, the property `existence`. */
export interface Difference {
  /** `table`, `column`, `policy` … */
  readonly kind: string;
  /** As people write it: `messages.content`, `hash_password(text)`, `idx_files_user_id on files`. */
  readonly object: string;
  /** As in the snapshot: `rowLevelSecurity`. */
  readonly property: string;
  readonly before: PropertyValue;
  readonly after: PropertyValue;
}

const SHOWN_CHARACTERS = 72;

function words(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace('row level', 'row-level');
}

function text(value: PropertyValue): string {
  if (value === null) return 'none';
  if (value === true) return 'on';
  if (value === false) return 'off';
  if (typeof value === 'object') return value.length === 0 ? 'none' : value.join(', ');
  return value === '' ? '""' : String(value);
}

/** The part of a long text around the first character that differs from the other text. */
function excerpt(value: string, other: string): string {
  if (value.length <= SHOWN_CHARACTERS) return value;
  let same = 0;
  while (same < value.length && value[same] === other[same]) same += 1;
  const start = same < SHOWN_CHARACTERS / 2 ? 0 : Math.min(same - 20, value.length - SHOWN_CHARACTERS);
  const end = start + SHOWN_CHARACTERS;
  return `${start > 0 ? '…' : ''}${value.slice(start, end)}${end < value.length ? '…' : ''}`;
}

function firstDifferentLine(before: string, after: string): { number: number; before: string; after: string } {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let index = 0;
  while (index < old.length && old[index] === now[index]) index += 1;
  return { number: index + 1, before: (old[index] ?? '').trim(), after: (now[index] ?? '').trim() };
}

/** One line for people: `table messages: row-level security on → off`. */
export function renderDifference({ kind, object, property, before, after }: Difference): string {
  const what = `${kind} ${object}:`;
  if (property === 'existence') return `${what} ${after === true ? 'added' : 'missing'}`;
  if (typeof before === 'string' && typeof after === 'string' && `${before}${after}`.includes('\n')) {
    const line = firstDifferentLine(before, after);
    const [old, now] = [excerpt(text(line.before), line.after), excerpt(text(line.after), line.before)];
    return `${what} ${words(property)} line ${line.number}: ${old} → ${now}`;
  }
  const [old, now] = [text(before), text(after)];
  return `${what} ${words(property)} ${excerpt(old, now)} → ${excerpt(now, old)}`;
}
