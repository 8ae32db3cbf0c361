/** Reads of one run that several checks share: the first asks, the others get the same answer, a failure included. */
export type Once<Subject> = <Result>(read: (subject: Subject) => Promise<Result>) => Promise<Result>;

/** The answers are kept for as long as the function is. */
export function once<Subject>(subject: () => Subject): Once<Subject> {
  const results = new Map<unknown, Promise<unknown>>();
  return <Result>(read: (of: Subject) => Promise<Result>): Promise<Result> => {
    const known = results.get(read) as Promise<Result> | undefined;
    if (known !== undefined) return known;
    const result = read(subject());
    results.set(read, result);
    return result;
  };
}
