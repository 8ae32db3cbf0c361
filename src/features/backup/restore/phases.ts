/** What a restore is made of, in its order. `indexes`: and keys, triggers, policies; `checks`: those of the user. */
export type RestorePhase =
  'fetch' | 'read' | 'create' | 'rows' | 'indexes' | 'vector-indexes' | 'analyze' | 'compare' | 'checks';

export type OnPhase = (phase: RestorePhase) => void;

export interface TimedPhase {
  readonly phase: RestorePhase;
  readonly durationMs: number;
}

/** Measures the phases of one restore; each ends where the next one begins. */
export class PhaseClock {
  readonly #phases: TimedPhase[] = [];
  #running: { readonly phase: RestorePhase; readonly sinceMs: number } | undefined;

  readonly start: OnPhase = (phase) => {
    this.stop();
    this.#running = { phase, sinceMs: performance.now() };
  };

  stop(): void {
    if (this.#running === undefined) return;
    const { phase, sinceMs } = this.#running;
    this.#phases.push({ phase, durationMs: Math.round(performance.now() - sinceMs) });
    this.#running = undefined;
  }

  get phases(): readonly TimedPhase[] {
    return this.#phases;
  }
}
