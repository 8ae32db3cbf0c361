/** A query for a report, without the password that a statement such as ALTER ROLE carries in the clear. */
export function reportedQuery(query: string): string {
  return query.replaceAll(/(password\s*(?:=>|=|:)?\s*)(E?'(?:[^']|'')*'?|\$\S*)/gi, "$1'***'");
}

/** A time since a moment, which a clock that was set back would make negative. */
export function notNegative(ms: number | null): number | null {
  return ms === null ? null : Math.max(0, ms);
}
