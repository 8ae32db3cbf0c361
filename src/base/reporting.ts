/** How an operation reports what it is doing; the command line draws it. */
export interface Reporting {
  readonly onProgress: (text: string) => void;
  readonly onWarning: (text: string) => void;
}
