import type { Paint, Streams } from './streams.js';
import { isLongerThan } from './pager.js';
import { renderTable, type Column } from './table.js';

/**
 * Stands first in every document of --json. Fields may be added under the same number; it rises when one goes or changes
 * its meaning.
 */
export const JSON_FORMAT_VERSION = 1;

export interface OutputOptions {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  /** The variable TERM; a dumb terminal cannot be drawn on. */
  readonly term?: string | undefined;
  /** Whether a result that is longer than the terminal is kept, for `takeKept`. */
  readonly keepsLong?: boolean;
}

/** What a renderer may use: it knows whether it writes for eyes or for a pipe. */
export interface Renderer {
  readonly isTTY: boolean;
  /** Columns of the terminal; infinite in a pipe, and where a terminal does not say. */
  readonly width: number;
  readonly paint: Paint;
  readonly table: <Row>(rows: readonly Row[], columns: readonly Column<Row>[]) => string;
}

const HOME = '\u001B[H';
const CLEAR_LINE_END = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
const NO_WRAP = '\u001B[?7l';
const WRAP = '\u001B[?7h';

/**
 * Draws a text over the last one without a flicker: each line is written where it stands and cut by the terminal at its
 * right edge. What does not fit below is counted. `height` is undefined or 0 where the terminal does not report it.
 */
function screenful(text: string, height: number | undefined): string {
  const lines = text.split('\n');
  const room = height === undefined || height < 2 ? lines.length : height - 1;
  const shown = lines.length <= room ? lines : lines.slice(0, room - 1);
  const more = lines.length - shown.length;
  const whole = more === 0 ? shown : [...shown, `... ${more} more lines`];
  return `${HOME}${NO_WRAP}${whole.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')}${CLEAR_BELOW}${WRAP}`;
}

function versioned(data: object): object {
  return { formatVersion: JSON_FORMAT_VERSION, ...data };
}

/** The only writer to stdout, and to stderr beside progress and errors. */
export class Output {
  readonly options: OutputOptions;
  readonly #streams: Streams;
  readonly #renderer: Renderer;
  readonly #isScreen: boolean;
  readonly #errorPaint: Paint;
  #hasReader = true;
  /** What is kept for a pager, once the result is longer than the screen. */
  #kept: string | undefined;
  #beforeWrite: () => void = () => undefined;

  constructor(streams: Streams, options: OutputOptions, paint: Paint, errorPaint: Paint) {
    this.options = options;
    this.#streams = streams;
    this.#errorPaint = errorPaint;
    const isTTY = streams.stdout.isTTY === true;
    streams.stdout.on('error', () => {
      this.#hasReader = false;
    });
    this.#isScreen = isTTY && options.term !== 'dumb';
    this.#renderer = {
      isTTY,
      paint,
      // Asked at every table: the window may have changed since, under --watch.
      get width() {
        return streams.stdout.columns || Infinity;
      },
      table: (rows, columns) => renderTable(rows, columns, isTTY, streams.stdout.columns || Infinity),
    };
  }

  /** Called before every line, so that a live progress line can be taken away first. */
  onBeforeWrite(clear: () => void): void {
    this.#beforeWrite = clear;
  }

  /** The result: one JSON document with --json, else what `render` makes of it. */
  result<Data extends object>(data: Data, render: (data: Data, renderer: Renderer) => string): void {
    this.#beforeWrite();
    const text = this.options.isJson ? JSON.stringify(versioned(data), null, 2) : render(data, this.#renderer);
    if (text === '') return;
    const { stdout, stderr } = this.#streams;
    const isLong = this.options.keepsLong === true && isLongerThan(text, stdout.rows);
    if (isLong && this.#isScreen && stderr.isTTY === true) this.#kept = `${text}\n`;
    else stdout.write(`${text}\n`);
  }

  /** What was not written because it is longer than the terminal, with the notes that belong below it; once. */
  takeKept(): string | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }

  /** The document of --json, for a command that was asked for it in another way. */
  asJson(data: object): void {
    this.text(`${JSON.stringify(versioned(data), null, 2)}\n`);
  }

  /**
   * The result of a command that changes something. Cron mails whatever is written, so with --quiet a success says nothing;
   * the plan of a dry run and a document of --json are what was asked for.
   */
  done<Data extends object>(data: Data, render: (data: Data, renderer: Renderer) => string): void {
    const isPlan = 'isDryRun' in data && data.isDryRun === true;
    if (!this.options.isQuiet || this.options.isJson || isPlan) this.result(data, render);
  }

  /**
   * One look of a watch: the screen drawn again, or one document after the other where no screen is. `notes` belong to the
   * picture, so on a screen they are a part of it.
   */
  frame<Data extends object>(
    data: Data,
    render: (data: Data, renderer: Renderer) => string,
    notes: readonly string[],
  ): void {
    const { stdout } = this.#streams;
    if (this.options.isJson) stdout.write(`${JSON.stringify(versioned(data))}\n`);
    else if (this.#isScreen) stdout.write(screenful([render(data, this.#renderer), ...notes].join('\n'), stdout.rows));
    else stdout.write(`${render(data, this.#renderer)}\n\n`);
  }

  /** False once the reader of the result has gone away. */
  get hasReader(): boolean {
    return this.#hasReader;
  }

  /** Text that is itself the result, such as a script. */
  text(text: string): void {
    this.#beforeWrite();
    this.#streams.stdout.write(text);
  }

  /** A line for people: what was done, what to run next. Silent with --quiet. */
  note(line: string): void {
    if (!this.options.isQuiet) this.#line(line);
  }

  /** A line only for --verbose. */
  detail(line: string): void {
    if (this.options.isVerbose) this.#line(this.#errorPaint.dim(line));
  }

  warning(line: string): void {
    this.#line(`${this.#errorPaint.yellow('warning:')} ${line}`);
  }

  /** An error of one part, which does not stop the others. */
  problem(text: string): void {
    this.#line(this.#errorPaint.red(text));
  }

  /** Whether a person, and no file or log, reads stderr. */
  get canShowSecret(): boolean {
    return this.#streams.stderr.isTTY === true;
  }

  /** A secret that cannot be shown again: for a terminal only, and with --quiet, too. */
  secret(line: string): void {
    if (this.canShowSecret) this.#line(line);
  }

  #line(line: string): void {
    this.#beforeWrite();
    if (this.#kept === undefined) this.#streams.stderr.write(`${line}\n`);
    else this.#kept += `${line}\n`;
  }
}
