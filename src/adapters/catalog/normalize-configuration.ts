export interface SchemaNames {
  readonly schema: string;
  readonly extensionSchemas: readonly string[];
}

/** The names in a search_path as pg_proc keeps it: comma-separated, quoted where needed. */
function pathNames(path: string): readonly string[] {
  return [...path.matchAll(/"((?:[^"]|"")*)"|([^",\s]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}

function normalizePath(path: string, { schema, extensionSchemas }: SchemaNames): string {
  const parts = pathNames(path).flatMap((name) => {
    // One schema may be both: public with the extensions in it equals "app", public.
    const roles = [
      ...(name === schema ? ['$schema'] : []),
      ...(extensionSchemas.includes(name) ? ['$extensions'] : []),
    ];
    return roles.length === 0 ? [name] : roles;
  });
  return parts.filter((part, index) => part !== parts[index - 1]).join(', ');
}

/** The settings of a function, sorted, with the schema's name taken out of its search_path. */
export function normalizeConfiguration(configuration: readonly string[], names: SchemaNames): readonly string[] {
  const prefix = 'search_path=';
  return configuration
    .map((setting) =>
      setting.startsWith(prefix) ? prefix + normalizePath(setting.slice(prefix.length), names) : setting,
    )
    .toSorted();
}
