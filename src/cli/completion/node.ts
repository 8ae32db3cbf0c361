/** What follows an option on the command line; `text` cannot be completed. */
export type ValueKind = 'none' | 'file' | 'directory' | 'text';

export interface CompletionOption {
  readonly name: string;
  readonly description: string;
  readonly value: ValueKind;
  /** All values that it takes, where these are few. */
  readonly values: readonly string[];
}

/** A command, or a noun above its verbs, as a shell completes it. */
export interface CompletionNode {
  /** `['migrate', 'up']`; empty at the top. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly commands: readonly CompletionNode[];
  readonly options: readonly CompletionOption[];
  readonly takesFile: boolean;
}

/** As the scripts spell a place: ` migrate up`. */
export function placeOf({ words }: CompletionNode): string {
  return words.map((word) => ` ${word}`).join('');
}

export function nameOf({ words }: CompletionNode): string {
  return words.at(-1) ?? '';
}

/** The node and all below it. */
export function allNodes(node: CompletionNode): readonly CompletionNode[] {
  return [node, ...node.commands.flatMap(allNodes)];
}

export interface ListedValues {
  readonly place: string;
  readonly option: string;
  readonly values: readonly string[];
}

/** The options with few values, by the command that has them: the same name may take others elsewhere. */
export function listedValues(root: CompletionNode): readonly ListedValues[] {
  return allNodes(root).flatMap((node) =>
    node.options
      .filter(({ values }) => values.length > 0)
      .map(({ name, values }) => ({ place: placeOf(node), option: name, values })),
  );
}

/** The places of all commands, without the top. */
export function commandPlaces(root: CompletionNode): readonly string[] {
  return allNodes(root)
    .filter(({ words }) => words.length > 0)
    .map(placeOf);
}

/** The names of all options that take a value, by its kind: an option means the same in every command. */
export function optionsByValue(root: CompletionNode): Readonly<Record<'files' | 'directories' | 'texts', string[]>> {
  const options = allNodes(root).flatMap((node) => node.options);
  const namesOf = (kind: ValueKind): string[] =>
    [...new Set(options.filter(({ value }) => value === kind).map(({ name }) => name))].toSorted();
  return { files: namesOf('file'), directories: namesOf('directory'), texts: namesOf('text') };
}
