import { formatCount } from '../../base/count.js';
import { formatDurationMs } from '../../base/duration.js';
import { Progress } from '../terminal/progress.js';
import type { Streams } from '../terminal/streams.js';

/** Hands on what a command in one schema is doing. */
class ProgressOfOne extends Progress {
  override readonly report: (text: string) => void;

  constructor(streams: Streams, report: (text: string) => void) {
    super(streams, { isQuiet: true, isColored: false, term: undefined });
    this.report = report;
  }
}

/** The one live line of a run over several schemas: how many are done, how many went wrong, and how long it will take. */
export class Board {
  readonly #progress: Progress;
  readonly #streams: Streams;
  readonly #total: number;
  readonly #startedMs = performance.now();
  #done = 0;
  #failed = 0;

  constructor(progress: Progress, streams: Streams, total: number) {
    this.#progress = progress;
    this.#streams = streams;
    this.#total = total;
  }

  progressOf(schema: string): Progress {
    return new ProgressOfOne(this.#streams, (text) => this.#show(`; ${schema}: ${text}`));
  }

  count(isFailure: boolean): void {
    this.#done += 1;
    if (isFailure) this.#failed += 1;
    this.#show('');
  }

  #show(more: string): void {
    const failed = this.#failed === 0 ? '' : `, ${formatCount(this.#failed)} not well`;
    const elapsedMs = performance.now() - this.#startedMs;
    const leftMs = this.#done === 0 ? undefined : (elapsedMs / this.#done) * (this.#total - this.#done);
    const left = leftMs === undefined || leftMs < 1000 ? '' : `, about ${formatDurationMs(Math.round(leftMs))} left`;
    this.#progress.report(`${formatCount(this.#done)} of ${formatCount(this.#total)} schemas${failed}${left}${more}`);
  }
}
