import { diskError } from '../../base/disk-error.js';
import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { redactText } from '../../base/redact.js';
import { serverContext } from '../../base/server-context.js';
import type { Paint } from './streams.js';

/** Whatever was thrown; what is none of ours is a fault in aisec. */
export function asAisecError(error: unknown): AisecError {
  if (isAisecError(error)) return error;
  const ofDisk = diskError(error);
  if (ofDisk !== undefined) return ofDisk;
  return new AisecError('INTERNAL', redactText(messageOf(error)), {
    detail: error instanceof Error ? redactText(error.stack ?? '') : undefined,
    hint: 'This is a fault in aisec. Please report it with the lines above.',
    cause: error,
  });
}

function excerptLines(error: AisecError, paint: Paint): readonly string[] {
  const { position } = error;
  if (position === undefined) return [];
  const place = [position.file, position.line, position.column].filter((part) => part !== undefined).join(':');
  if (position.excerpt === undefined) return [`  ${place}`];
  const number = String(position.line);
  const indent = ' '.repeat(number.length);
  const lines = [`  ${place}`, `  ${number} | ${position.excerpt}`];
  if (position.column !== undefined) {
    const before = position.excerpt.slice(0, position.column - 1).replaceAll(/[^\t]/g, ' ');
    lines.push(`  ${indent} | ${before}${paint.red('^')}`);
  }
  return lines;
}

function contextOf(error: unknown): string | undefined {
  const context = serverContext(error);
  return context === undefined ? undefined : redactText(context);
}

/** An error for people: PostgreSQL's fields, and the place in the file with a caret. */
export function renderError(error: AisecError, paint: Paint): string {
  const state = error.sqlState === undefined ? '' : ` (SQLSTATE ${error.sqlState})`;
  const lines = [`${paint.red('error:')} ${error.message}${state}`, ...excerptLines(error, paint)];
  if (error.detail !== undefined) lines.push(`detail: ${error.detail}`);
  const context = contextOf(error);
  if (context !== undefined) lines.push(`context: ${context}`);
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.join('\n');
}

/** An error as machines read it. */
export interface ErrorFields {
  readonly code: string;
  readonly message: string;
  readonly detail: string | null;
  readonly hint: string | null;
  /** Where in a function or a DO block the server was. */
  readonly context: string | null;
  readonly sqlState: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** Every field is always there. */
export function errorFields(error: AisecError): ErrorFields {
  return {
    code: error.code,
    message: error.message,
    detail: error.detail ?? null,
    hint: error.hint ?? null,
    context: contextOf(error) ?? null,
    sqlState: error.sqlState ?? null,
    file: error.position?.file ?? null,
    line: error.position?.line ?? null,
    column: error.position?.column ?? null,
  };
}

/** The same as the one line that ends stderr. */
export function errorDocument(error: AisecError): object {
  return { error: errorFields(error) };
}
