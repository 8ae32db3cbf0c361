import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const schemas = path.join(import.meta.dirname, '..', '..', 'docs', 'json');
const ajv = new Ajv2020({ strict: false, allErrors: true });
const known = new Map<string, ValidateFunction>();

/** The published schema lets fields be added later; here each field has to be in it. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...parts, additionalProperties: false }
    : parts;
}

/** The schema of the longest command that the arguments begin with: `backup list`, else `backup`. */
function fileOf(args: readonly string[]): string | undefined {
  const words = args
    .slice(0, args.findIndex((arg) => arg.startsWith('-')) + 1 || undefined)
    .filter((arg) => !arg.startsWith('-'));
  return [words.slice(0, 2), words.slice(0, 1)]
    .map((name) => path.join(schemas, `${name.join('-')}.schema.json`))
    .find((file) => existsSync(file));
}

function validatorOf(file: string): ValidateFunction {
  const validate = known.get(file) ?? ajv.compile(closed(JSON.parse(readFileSync(file, 'utf8'))) as object);
  known.set(file, validate);
  return validate;
}

function documentsIn(stdout: string): readonly unknown[] {
  try {
    return [JSON.parse(stdout)];
  } catch {
    // A watch prints one document a line; the last one may have been cut.
    return stdout.split('\n').flatMap((line): readonly unknown[] => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
  }
}

interface OfSeveral {
  readonly command: string;
  readonly schemas: readonly { readonly result: object | null }[];
}

/** What a command prints that ran in several schemas. */
function isOfSeveral(document: unknown): document is OfSeveral {
  return typeof document === 'object' && document !== null && 'command' in document && 'left' in document;
}

/** Every document that a test has a command print must be what docs/json says of it. */
export function checkDocument(args: readonly string[], exitCode: number | null, stdout: string): void {
  if (!args.includes('--json') || (exitCode !== 0 && exitCode !== 3)) return;
  const file = fileOf(args);
  if (file === undefined) return;
  for (const document of documentsIn(stdout)) {
    const validate = validatorOf(isOfSeveral(document) ? path.join(schemas, 'several-schemas.schema.json') : file);
    if (isOfSeveral(document))
      for (const { result } of document.schemas)
        if (result !== null) checkDocument(args, exitCode, JSON.stringify({ formatVersion: 1, ...result }));
    if (validate(document)) continue;
    const errors = validate.errors?.map(
      (error) => `${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
    );
    throw new Error(
      `${path.basename(file)} says otherwise of aisec ${args.join(' ')}:\n${errors?.join('\n') ?? ''}\n${stdout}`,
    );
  }
}
