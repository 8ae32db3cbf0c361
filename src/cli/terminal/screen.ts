const HOME = '\u001B[H';
const CLEAR_LINE_END = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
const NO_WRAP = '\u001B[?7l';
const WRAP = '\u001B[?7h';

/**
 * Draws a text over the last one without a flicker: each line is written where it stands and cut by the terminal at its
 * right edge. What does not fit below is counted. `height` is undefined or 0 where the terminal does not report it.
 */
export function screenful(text: string, height: number | undefined): string {
  const lines = text.split('\n');
  const room = height === undefined || height < 2 ? lines.length : height - 1;
  const shown = lines.length <= room ? lines : lines.slice(0, room - 1);
  const more = lines.length - shown.length;
  const whole = more === 0 ? shown : [...shown, `... ${more} more lines`];
  return `${HOME}${NO_WRAP}${whole.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')}${CLEAR_BELOW}${WRAP}`;
}
