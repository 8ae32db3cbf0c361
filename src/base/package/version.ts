import { readFileSync } from 'node:fs';

import { packageFile } from '../package-file.js';

let version: string | undefined;

/** The version in package.json. */
export function aisecVersion(): string {
  version ??= (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
  return version;
}

/** `17.4`, of what `show server_version_num` gives. */
export function postgresVersion(serverVersion: number): string {
  return `${Math.floor(serverVersion / 10_000)}.${serverVersion % 10_000}`;
}
