/** Something that an inspection could not see. It is never the same as having found nothing. */
export interface Skip {
  /** What it is about: a report, a check, a column. */
  readonly what: string;
  readonly reason: string;
  /** The SQL or the command that would allow it; null when nothing would. */
  readonly fix: string | null;
}
