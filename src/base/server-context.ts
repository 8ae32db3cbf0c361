/** Where in a function or a DO block the server was, as it reported to the driver; the driver's error is at the end of the causes. */
export function serverContext(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { where } = inner as { readonly where?: unknown };
    if (typeof where === 'string' && where !== '') return where;
  }
  return undefined;
}
