import { execFile } from 'node:child_process';

import { quoteIdentifier } from '../../base/identifier.js';
import type { Environment } from '../../config/settings.js';
import type { Credentials } from './credentials.js';
import { toolEnvironment } from './environment.js';
import { runTool, type ToolSurroundings } from './run-tool.js';
import type { PgTool } from './tool.js';

export interface DumpRequest extends ToolSurroundings {
  readonly tool: PgTool;
  readonly credentials: Credentials;
  /** Exists, empty, with the mode it is to keep: pg_dump would make it readable by others. With `jobs` a directory. */
  readonly file: string;
  /** Writes a directory archive in so many sessions, beside the first; default: one file, in one session. */
  readonly jobs?: number | undefined;
  /** As pg_dump takes it: `zstd:1`, `gzip:6`. */
  readonly compression: string;
  /** Of pg_export_snapshot(), so that what is counted beside is what is dumped. */
  readonly snapshot?: string;
  /** 0: wait for ever. pg_dump resets lock_timeout, so only this option limits it. */
  readonly lockWaitTimeoutMs: number;
  /** This one alone, by its name; default: the whole database. */
  readonly schema?: string;
  /** Dumps definitions only. */
  readonly isSchemaOnly?: boolean;
  /** Leaves the rows of unlogged tables out, which a standby cannot read. */
  readonly withoutUnlogged?: boolean;
  /** Patterns of tables whose rows are not dumped. */
  readonly withoutRowsOf?: readonly string[];
  readonly onLine?: (line: string) => void;
  readonly waitForServerMs: number;
}

/** The command line, which holds nothing secret. `--enable-row-security` would make an empty dump of a failing one. */
function dumpArguments(request: DumpRequest): readonly string[] {
  const { credentials, file, jobs, compression, snapshot, lockWaitTimeoutMs } = request;
  return [
    `--dbname=${credentials.dbname}`,
    '--no-password',
    ...(jobs === undefined ? ['--format=custom'] : ['--format=directory', `--jobs=${jobs}`]),
    `--compress=${compression}`,
    `--file=${file}`,
    // The caller flushes it when it names the file.
    '--no-sync',
    ...(snapshot === undefined ? [] : [`--snapshot=${snapshot}`]),
    ...(lockWaitTimeoutMs === 0 ? [] : [`--lock-wait-timeout=${lockWaitTimeoutMs}`]),
    ...(request.schema === undefined ? [] : ['--strict-names', `--schema=${quoteIdentifier(request.schema)}`]),
    ...(request.isSchemaOnly === true ? ['--schema-only'] : []),
    ...(request.withoutUnlogged === true ? ['--no-unlogged-table-data'] : []),
    ...(request.withoutRowsOf ?? []).map((pattern) => `--exclude-table-data=${pattern}`),
    // Reports the table it is at, and ends it with the next line when it is not read any more.
    '--verbose',
  ];
}

/** Writes the database, or one schema, to a custom-format or a directory archive. @throws AisecError as `runTool`. */
export async function dumpDatabase(request: DumpRequest): Promise<void> {
  const { tool, credentials, environment, signal, onLine, waitForServerMs } = request;
  await runTool({
    tool,
    args: dumpArguments(request),
    environment,
    signal,
    waitForServerMs,
    more: credentials.variables,
    ...(onLine && { onLine }),
  });
}

export interface GlobalsRequest extends ToolSurroundings {
  readonly tool: PgTool;
  readonly credentials: Credentials;
  /** The database to connect to; pg_dumpall would take "postgres". */
  readonly database: string;
  readonly waitForServerMs: number;
  /** With the hashes of their passwords, which only a role that may read pg_authid can ask for. */
  readonly withPasswords: boolean;
}

/** As a connection string: pg_dumpall takes a name such as `a=b` or `postgres://x` for one. */
function connectionString(database: string): string {
  return `dbname='${database.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`;
}

/** Roles, memberships and tablespaces as SQL. @throws AisecError as `runTool`. */
export async function dumpGlobals(request: GlobalsRequest): Promise<string> {
  const { tool, credentials, database, environment, signal, waitForServerMs, withPasswords } = request;
  const args = [
    '--globals-only',
    ...(withPasswords ? [] : ['--no-role-passwords']),
    '--no-password',
    `--dbname=${credentials.dbname}`,
    `--database=${connectionString(database)}`,
  ];
  const { stdout } = await runTool({
    tool,
    args,
    environment,
    signal,
    waitForServerMs,
    more: credentials.variables,
  });
  return stdout;
}

/** Whether this pg_dump was built with a compression; it says so before it connects. */
export function supportsCompression(tool: PgTool, compression: string, environment: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    const args = [`--compress=${compression}`, '--format=custom', '--no-password', '--dbname=host=/nowhere'];
    execFile(tool.path, args, { timeout: 10_000, env: toolEnvironment(environment) }, (_error, _stdout, stderr) => {
      resolve(/connection to server/.test(stderr));
    });
  });
}
