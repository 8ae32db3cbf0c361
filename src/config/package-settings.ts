import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { didYouMean } from '../base/did-you-mean.js';
import { AisecError, messageOf } from '../base/errors.js';
import { SETTINGS, type Environment } from './settings.js';

/** What belongs to a project and may be committed with it; a database's address does not. */
const ALLOWED = ['migrationsDir', 'seedsDir', 'schema', 'extensionSchema'] as const;
type Allowed = (typeof ALLOWED)[number];

function invalid(file: string, message: string, hint: string, cause?: unknown): AisecError {
  return new AisecError('CONFIG_INVALID', `${message} in "${file}"`, { hint, cause });
}

function readKey(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // Without the file, or where it may not be read, there is nothing to take from it.
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw invalid(file, `could not read the settings: ${messageOf(error)}`, 'Make it readable.', error);
  }
  // Without the key nothing is asked of the file, and it may be as it likes.
  if (!/"aisec"\s*:\s*\{/.test(text)) return undefined;
  try {
    return (JSON.parse(text.replace(/^\uFEFF/, '')) as { readonly aisec?: unknown }).aisec;
  } catch (error) {
    throw invalid(file, `invalid JSON: ${messageOf(error)}`, 'Fix the file.', error);
  }
}

/** A directory, several, or several by name, as `--migrations-dir` takes them. */
function directories(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (!entries.every(([, directory]) => typeof directory === 'string')) return undefined;
  return entries.map(([name, directory]) => `${name}=${String(directory)}`).join(',');
}

function valueOf(name: Allowed, value: unknown, file: string): string {
  const text = name === 'migrationsDir' ? directories(value) : typeof value === 'string' ? value : undefined;
  if (text !== undefined && text.trim() !== '') return text;
  const expected =
    name === 'migrationsDir'
      ? 'a directory, or an object of names and directories: { "billing": "./db/billing" }'
      : 'a text';
  throw invalid(file, `invalid value of aisec.${name}`, `Expected ${expected}.`);
}

/**
 * The settings of a project, from the key `aisec` of the package.json in `cwd`, as environment variables:
 * `"aisec": { "migrationsDir": "./db/migrations" }`. The environment, `.env` and flags win over them.
 *
 * @throws AisecError CONFIG_INVALID for a key or a value that is not known.
 */
export function packageSettings(cwd: string): Environment {
  const file = join(cwd, 'package.json');
  const found = readKey(file);
  if (found === undefined) return {};
  if (found === null || typeof found !== 'object')
    throw invalid(file, 'invalid value of aisec', 'Expected an object: { "migrationsDir": "./db/migrations" }');
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => {
      const name = ALLOWED.find((allowed) => allowed === key);
      if (name !== undefined) return [SETTINGS[name].env, valueOf(name, value, file)];
      const near = didYouMean(key, ALLOWED);
      throw invalid(
        file,
        `unknown setting aisec.${key}`,
        near === undefined
          ? `It may have ${ALLOWED.join(', ')}; the others are set in the environment.`
          : `Did you mean "${near}"?`,
      );
    }),
  );
}
