interface Named {
  readonly role: string | null;
  readonly application: string | null;
}

/** ` of svc (payments)`: whose session it is, as far as it is known. */
export function whose({ role, application }: Named): string {
  const of = role === null ? '' : ` of ${role}`;
  return application === null || application === '' ? of : `${of} (${application})`;
}

/** `\connect` of psql to a database of the same server, whatever its name. */
function connectTo(name: string): string {
  if (/^[a-z_][a-z0-9_$]*$/.test(name)) return `\\connect ${name}`;
  // psql takes quotes of three kinds in this argument; an address needs none of them.
  const encoded = encodeURIComponent(name).replaceAll("'", '%27');
  return `\\connect -reuse-previous=on postgresql:///${encoded}`;
}

/** Statements that have to run in another database, as psql takes them. */
export function inDatabase(name: string | null, isHere: boolean, sql: string): string {
  return isHere || name === null ? sql : `${connectTo(name)}\n${sql}`;
}
