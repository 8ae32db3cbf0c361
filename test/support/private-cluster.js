import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const services = path.join(import.meta.dirname, 'services');

/**
 * A PostgreSQL of its own, for what the shared one must not be put through.
 *
 * @typedef {object} PrivateCluster
 * @property {string} url address of its database postgres, as superuser
 * @property {(mode: 'fast' | 'immediate') => Promise<void>} stop `immediate` is a crash: nothing is written back
 * @property {() => Promise<void>} kill SIGKILL to the postmaster
 * @property {() => Promise<void>} start after stop or kill, on the same port; resolves when it answers
 * @property {(command: string) => Promise<void>} offline for a stopped server: `program pg_resetwal -x N`, `zeros FILE BYTES`, `damage FILE OFFSET`
 * @property {() => Promise<void>} remove ends it and deletes its data; safe to call twice
 */

/**
 * Whether this machine can start one: root, with the programs of test/support/services unpacked.
 *
 * @param {readonly string[]} [majors] its versions; none: that of AISEC_SERVICES_MAJOR
 */
export function canStartPrivateCluster(majors = []) {
  /** @param {NodeJS.ProcessEnv} env */
  const canStart = (env) =>
    spawnSync(services, ['private', '--check'], { env: { ...process.env, ...env }, stdio: 'ignore' }).status === 0;
  return majors.length === 0 ? canStart({}) : majors.every((major) => canStart({ AISEC_SERVICES_MAJOR: major }));
}

/**
 * Starts a new, empty server on a free port, in two seconds. It goes with this process, whatever ends it.
 *
 * @param {Readonly<Record<string, string>>} [settings] of postgresql.conf: `{ fsync: 'off' }`
 * @param {{ readonly primaryUrl?: string, readonly major?: string }} [options] the address of the private server whose
 *   standby it is; its version, when it is not that of AISEC_SERVICES_MAJOR
 * @returns {Promise<PrivateCluster>}
 */
export async function startPrivateCluster(settings = {}, { primaryUrl, major } = {}) {
  const args = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  if (primaryUrl !== undefined) args.unshift(`--standby-of=${new URL(primaryUrl).port}`);
  const env = { ...process.env, ...(major !== undefined && { AISEC_SERVICES_MAJOR: major }) };
  const child = spawn(services, ['private', ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (log += text));
  // It may have ended before a command reaches it; the missing answer tells.
  child.stdin.on('error', () => undefined);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const nextAnswer = async () => {
    const { value, done } = await answers.next();
    if (done === true) throw new Error(`the private PostgreSQL has ended\n${log}`);
    return String(value);
  };
  /** @type {Promise<unknown>} */
  let lastCommand = Promise.resolve();
  /** @param {string} command */
  const obey = async (command) => {
    child.stdin.write(`${command}\n`);
    const answer = await nextAnswer();
    if (answer !== 'ok') throw new Error(`${command}: ${answer}`);
  };
  /** One command at a time, so that each gets its own answer. @param {string} command @returns {Promise<void>} */
  const send = (command) => {
    const work = lastCommand.then(() => obey(command));
    lastCommand = work.catch(() => undefined);
    return work;
  };

  const url = await nextAnswer();
  return {
    url,
    stop: (mode) => send(`stop ${mode}`),
    kill: () => send('kill'),
    start: () => send('start'),
    offline: send,
    remove: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
