/**
 * What a program that is newer than the server sends it at the start of a session, though that server does not know it.
 * Since PostgreSQL 17 that is one setting, of a limit that a restore would lift; without it there is none to lift.
 * https://www.postgresql.org/docs/17/runtime-config-client.html#GUC-TRANSACTION-TIMEOUT
 */
const UNKNOWN_TO_OLDER: readonly string[] = ['SET transaction_timeout = 0;'];

/** What a program wrote, without the errors that say nothing. */
export function withoutTolerated(stderr: string): string {
  return stderr.replaceAll(/^.*error: could not execute query: .*\nCommand was: (.*)\n/gm, (text, command: string) =>
    UNKNOWN_TO_OLDER.includes(command) ? '' : text,
  );
}

/** What it writes in front of the text of a message, each part by itself. */
const BEFORE_TEXT = /^(?:pg_restore:| |(?:error|fatal|warning|detail|hint): )*/;

/**
 * Reads what a pg_restore that continues after errors says, line by line, and returns whether every error was one that an
 * older server is bound to answer with. Several processes of it write to the same place, so that lines of two errors
 * may alternate, and so may what stands in front of their texts: errors and commands are counted, not paired.
 */
export class ToleratedErrors {
  #failures = 0;
  #tolerated = 0;

  /** False as soon as the line shows an error that means something. */
  accepts(line: string): boolean {
    if (line.startsWith('Command was: ')) {
      const isTolerated = UNKNOWN_TO_OLDER.includes(line.slice('Command was: '.length));
      if (isTolerated) this.#tolerated += 1;
      return isTolerated;
    }
    const [before = ''] = BEFORE_TEXT.exec(line) ?? [];
    this.#failures += before.match(/(?:error|fatal): /g)?.length ?? 0;
    return !line.startsWith('COPY failed', before.length);
  }

  /** Whether nothing else went wrong by its end. */
  get hasOnlyTolerated(): boolean {
    return this.#failures === this.#tolerated;
  }
}
