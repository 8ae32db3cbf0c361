import type { Readable, Writable } from 'node:stream';

/** Everything a command knows of the terminal; tests pass their own. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

export interface ColorSettings {
  /** Undefined when neither --color nor --no-color was given. */
  readonly flag: boolean | undefined;
  readonly noColor: string | undefined;
  readonly forceColor: string | undefined;
  readonly term: string | undefined;
}

/**
 * Whether one stream gets colour. chalk is never asked: it colours under NO_COLOR and reads argv on its own.
 * https://no-color.org
 */
export function wantsColor(settings: ColorSettings, isTTY: boolean): boolean {
  if (settings.flag !== undefined) return settings.flag;
  if (settings.noColor !== undefined && settings.noColor !== '') return false;
  if (settings.forceColor !== undefined && settings.forceColor !== '' && settings.forceColor !== '0') return true;
  return isTTY && settings.term !== 'dumb';
}

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly red: (text: string) => string;
}

const plain = (text: string): string => text;
const PLAIN: Paint = { bold: plain, dim: plain, green: plain, yellow: plain, red: plain };

/** The colours of one stream. chalk is loaded only where there is colour. */
export async function createPaint(isColored: boolean): Promise<Paint> {
  if (!isColored) return PLAIN;
  const { Chalk } = await import('chalk');
  return new Chalk({ level: 1 });
}
