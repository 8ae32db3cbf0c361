// Small pieces of code that several commands share, in one file of the bundle instead of one for each.
import path from 'node:path';

const MOST_BYTES = 4600;
/** Of what is loaded by itself, such as a verb of a few lines: a file for each would save nothing. */
const MOST_BYTES_BY_ITSELF = 3800;
/** With what it loads. More would slow commands down that need only a part. */
const MOST_LOADED_BYTES = 25_200;

/**
 * The modules of the small chunks. A chunk of them must not load one that loads them
 * again: then one of the two would run before what it needs.
 *
 * @param {readonly import('rolldown').OutputChunk[]} chunks
 * @returns {ReadonlySet<string>}
 */
export function sharedModules(chunks) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const loadedByItself = new Set(chunks.flatMap(({ dynamicImports }) => dynamicImports));
  /** @param {string} name @param {Set<string>} [found] */
  const loads = (name, found = new Set()) => {
    for (const next of byName.get(name)?.imports ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      loads(next, found);
    }
    return found;
  };
  const isHeavy = (/** @type {string} */ name) =>
    [...loads(name)]
      .filter((each) => !ALWAYS_LOADED.has(each))
      .reduce((sum, each) => sum + (byName.get(each)?.code.length ?? 0), 0) > MOST_LOADED_BYTES;
  const small = chunks
    .filter(
      ({ fileName, isEntry, code }) =>
        !isEntry && code.length <= (loadedByItself.has(fileName) ? MOST_BYTES_BY_ITSELF : MOST_BYTES),
    )
    .map(({ fileName }) => fileName)
    .filter((name) => !ALWAYS_LOADED.has(name) && !isHeavy(name));
  const kept = new Set(small);
  for (;;) {
    const between = chunks
      .map(({ fileName }) => fileName)
      .filter((name) => !kept.has(name))
      .map((name) => ({
        above: [...kept].filter((each) => loads(each).has(name)),
        below: [...loads(name)].filter((each) => kept.has(each)),
      }))
      .find(({ above, below }) => above.length > 0 && below.length > 0);
    if (between === undefined) break;
    const { above, below } = between;
    // Of the two sides the smaller stays apart.
    for (const name of above.length < below.length ? above : below) kept.delete(name);
  }
  return new Set([...kept].flatMap((name) => byName.get(name)?.moduleIds ?? []).map((id) => path.normalize(id)));
}

const ALWAYS_LOADED = new Set(['core.js', 'rolldown-runtime.js', 'queries.js']);
