/** The program of PAGER and its arguments; undefined where it is empty or `cat`. A shell never sees it. */
export function pagerOf(pager = 'less'): readonly string[] | undefined {
  const words = pager.split(/\s+/).filter(Boolean);
  return words.length === 0 || words[0] === 'cat' ? undefined : words;
}

/** Whether a text is longer than the terminal; one that does not say how many rows it has shows all. */
export function isLongerThan(text: string, rows: number | undefined): boolean {
  return rows !== undefined && rows > 0 && text.split('\n').length > rows;
}
