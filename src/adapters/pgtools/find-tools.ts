import { execFile } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { AisecError } from '../../base/errors.js';
import type { Environment } from '../../config/settings.js';
import { toolEnvironment } from './environment.js';
import type { PgTool, PgToolName } from './tool.js';

const execute = promisify(execFile);
const VERSION_TIMEOUT_MS = 10_000;
/** Where the packages of Debian and of Red Hat keep each major version. */
const VERSIONED = [
  { root: '/usr/lib/postgresql', directory: (name: string) => `/usr/lib/postgresql/${name}/bin` },
  { root: '/usr', directory: (name: string) => (/^pgsql-\d+$/.test(name) ? `/usr/${name}/bin` : undefined) },
];

export interface ToolPlaces {
  /** AISEC_PG_BIN: the only directory that is looked into. */
  readonly pgBinDir: string | undefined;
  readonly environment: Environment;
}

export interface ToolWish {
  /** The server's, or the one of the program that wrote an archive. */
  readonly major: number;
  /** What has that version, for the error: `the server`, `the archive`. */
  readonly of: string;
}

export interface ToolChoice {
  readonly tool: PgTool;
  /** A full sentence when the major version is not the wished one. */
  readonly warning: string | undefined;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function directories({ pgBinDir, environment }: ToolPlaces): readonly string[] {
  if (pgBinDir !== undefined) return [pgBinDir];
  const path = (environment['PATH'] ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
  const versioned = VERSIONED.flatMap(({ root, directory }) => namesIn(root).map(directory));
  return [...path, ...versioned.filter((directory) => directory !== undefined)];
}

/** Debian's /usr/bin/pg_dump is a script that picks a version by its own rules, so what it says is not what it runs. */
function isWrapper(path: string): boolean {
  return path.endsWith('/pg_wrapper');
}

function candidates(name: PgToolName, places: ToolPlaces): readonly string[] {
  const found = new Map<string, string>();
  for (const path of directories(places).map((directory) => join(directory, name))) {
    if (!existsSync(path)) continue;
    const real = realpathSync(path);
    if (!isWrapper(real) && !found.has(real)) found.set(real, path);
  }
  return [...found.values()];
}

async function askVersion(path: string, environment: Environment): Promise<string> {
  const ask = () => execute(path, ['--version'], { timeout: VERSION_TIMEOUT_MS, env: toolEnvironment(environment) });
  try {
    return (await ask()).stdout;
  } catch (error) {
    // Ended from outside, as where memory is short: that says nothing of the program.
    if (typeof (error as { readonly signal?: unknown }).signal !== 'string') throw error;
    return (await ask()).stdout;
  }
}

async function identify(name: PgToolName, path: string, environment: Environment): Promise<PgTool | undefined> {
  try {
    const stdout = await askVersion(path, environment);
    const [, version, major] = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout) ?? [];
    return version === undefined ? undefined : { name, path, version, major: Number(major) };
  } catch {
    // Built for another machine, or without the right to run it: not a program that can be used.
    return undefined;
  }
}

/** Every program of that name that runs here, in the order of the search. */
export async function findTools(name: PgToolName, places: ToolPlaces): Promise<readonly PgTool[]> {
  const all = await Promise.all(candidates(name, places).map((path) => identify(name, path, places.environment)));
  return all.filter((tool) => tool !== undefined);
}

/** Another program of the same installation, which has the same version; undefined where it is not installed. */
export function siblingOf({ path, version, major }: PgTool, name: PgToolName): PgTool | undefined {
  const sibling = join(dirname(path), name);
  return existsSync(sibling) && !isWrapper(realpathSync(sibling)) ? { name, path: sibling, version, major } : undefined;
}

/**
 * The order in which programs are tried that are to work on a server of this version: its own version, then the next
 * newer one, then the newest of the older ones, which know the newer server's SQL well enough to send what is there.
 */
export function byNearness(tools: readonly PgTool[], serverMajor: number): readonly PgTool[] {
  const rank = ({ major }: PgTool): number => (major >= serverMajor ? major - serverMajor : 1000 + serverMajor - major);
  return tools.toSorted((a, b) => rank(a) - rank(b));
}

/** @throws AisecError PG_TOOL_MISSING when there is none at all. */
export function requireSome(name: PgToolName, tools: readonly PgTool[], places: ToolPlaces): readonly PgTool[] {
  if (tools.length > 0) return tools;
  throw new AisecError('PG_TOOL_MISSING', `${name} was not found ${placeText(places)}`, {
    hint: 'Install the client programs of the PostgreSQL version the backup comes from, or set AISEC_PG_BIN to their directory.',
  });
}

function placeText({ pgBinDir }: ToolPlaces): string {
  return pgBinDir === undefined ? 'in PATH and /usr/lib/postgresql/*/bin' : `in ${pgBinDir} (AISEC_PG_BIN)`;
}

function missing(name: PgToolName, tools: readonly PgTool[], wish: ToolWish, places: ToolPlaces): AisecError {
  const found = tools.map((tool) => `${tool.path} is ${tool.version}`).join(', ');
  const where = placeText(places);
  const message =
    tools.length === 0
      ? `${name} was not found ${where}`
      : `${wish.of} has version ${wish.major}, and every ${name} that was found is older`;
  return new AisecError('PG_TOOL_MISSING', message, {
    detail: tools.length === 0 ? undefined : `Looked ${where}: ${found}.`,
    hint: `Install the client programs of PostgreSQL ${wish.major} (Debian: postgresql-client-${wish.major}), or set AISEC_PG_BIN to their directory.`,
  });
}

/**
 * The one of these programs to use: of the same major version when there is one (its newest), else of the next newer one,
 * with a warning. An older one cannot read the catalog of a newer server, nor a newer archive.
 *
 * @throws AisecError PG_TOOL_MISSING naming both versions and every program that was found.
 */
export function chooseTool(name: PgToolName, tools: readonly PgTool[], wish: ToolWish, places: ToolPlaces): ToolChoice {
  const [tool] = tools
    .filter(({ major }) => major >= wish.major)
    .toSorted((a, b) => a.major - b.major || b.version.localeCompare(a.version, 'en', { numeric: true }));
  if (tool === undefined) throw missing(name, tools, wish, places);
  return {
    tool,
    warning:
      tool.major === wish.major
        ? undefined
        : `${tool.path} is version ${tool.version} and ${wish.of} ${wish.major}: what it writes may not be readable by the programs of ${wish.major}.`,
  };
}

/** Looks for the program to use, and chooses it. @throws AisecError as `chooseTool`. */
export async function findTool(name: PgToolName, wish: ToolWish, places: ToolPlaces): Promise<ToolChoice> {
  return chooseTool(name, await findTools(name, places), wish, places);
}
