import { readFileSync, writeFileSync } from 'node:fs';

/** Leaves the file alone when it is right: a build does not touch what is committed. @param {string} file @param {string} text */
export function writeGenerated(file, text) {
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch {
    // Not there yet.
  }
  writeFileSync(file, text);
}
