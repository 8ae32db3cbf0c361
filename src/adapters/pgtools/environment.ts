import type { Environment } from '../../config/settings.js';

/** What a client program may need of ours: nothing that names a server or a password, which come in files. */
const ALLOWED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'KRB5_CONFIG',
  'KRB5CCNAME',
  'SYSTEMROOT',
];

/** The environment of a child process. LC_ALL=C: its messages are read, so they must be in English. */
export function toolEnvironment(
  environment: Environment,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const own = ALLOWED.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), LC_ALL: 'C', ...more };
}
