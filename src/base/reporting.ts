/** How an operation reports what it is doing; the command line draws it. */
export interface Reporting {
  readonly onProgress: (text: string) => void;
  readonly onWarning: (text: string) => void;
  /** What is worth knowing only to a person who asks for more, with --verbose. */
  readonly onDetail?: (text: string) => void;
}
