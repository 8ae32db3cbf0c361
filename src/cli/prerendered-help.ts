import { readFileSync } from 'node:fs';

/** The words of a command line that asks for help and nothing else: `migrate up --help`, `help migrate up`. */
function wordsOfHelp(argv: readonly string[]): readonly string[] | undefined {
  const isFlag = (word: string | undefined): boolean => word === '--help' || word === '-h';
  const words = argv[0] === 'help' ? argv.slice(1) : isFlag(argv.at(-1)) ? argv.slice(0, -1) : undefined;
  return words?.every((word) => /^[a-z]/.test(word)) === true ? words : undefined;
}

/**
 * The help that the build has written beside the bundle; undefined for anything else, also where there is none.
 * Rendering it takes as long as Node itself needs to start (23 ms of CPU), since it loads every command.
 */
export function prerenderedHelp(argv: readonly string[]): string | undefined {
  const words = wordsOfHelp(argv);
  if (words === undefined) return undefined;
  try {
    const texts = JSON.parse(readFileSync(new URL('help.json', import.meta.url), 'utf8')) as Record<string, string>;
    return texts[words.join(' ')];
  } catch {
    return undefined;
  }
}
