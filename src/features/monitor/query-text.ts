/** A query for a report, without the password that a statement such as ALTER ROLE carries in the clear. */
export function reportedQuery(query: string): string {
  return query.replaceAll(/(password\s*(?:=>|=|:)?\s*)(E?'(?:[^']|'')*'?|\$\S*)/gi, "$1'***'");
}
