import { spawnSync } from 'node:child_process';

/**
 * Runs a command as a whole process and returns its wall and CPU time (user + system) in milliseconds; bash's own
 * accounting, since Node does not tell a child's CPU time.
 *
 * @param {string} command the program
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} [env]
 */
export function measure(command, args, env = {}) {
  const timed = spawnSync(
    'bash',
    [
      '-c',
      'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>/tmp/aisec-bench.$$ || { cat /tmp/aisec-bench.$$ >&2; exit 1; }; rm -f /tmp/aisec-bench.$$',
      'bash',
      command,
      ...args,
    ],
    {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      encoding: 'utf8',
    },
  );
  if (timed.status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${timed.stderr}`);
  const [wall = 0, user = 0, system = 0] = (timed.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { wallMs: wall * 1000, cpuMs: (user + system) * 1000 };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Measures several commands in turn (A B C A B C …), so that a slow moment of the machine hits all of them alike.
 *
 * @template {string} Name
 * @param {number} rounds counted ones; one more comes first and is not counted
 * @param {Record<Name, () => { wallMs: number, cpuMs: number }>} commands
 * @returns {Record<Name, { wallMs: number, cpuMs: number }>} medians
 */
export function medians(rounds, commands) {
  const names = /** @type {Name[]} */ (Object.keys(commands));
  /** @type {Record<string, { wallMs: number, cpuMs: number }[]>} */
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const name of names) {
      const run = commands[name]();
      if (round >= 0) runs[name]?.push(run);
    }
  }
  return /** @type {Record<Name, { wallMs: number, cpuMs: number }>} */ (
    Object.fromEntries(
      names.map((name) => [
        name,
        {
          wallMs: median((runs[name] ?? []).map((run) => run.wallMs)),
          cpuMs: median((runs[name] ?? []).map((run) => run.cpuMs)),
        },
      ]),
    )
  );
}

/**
 * @param {string} title
 * @param {number} value
 * @param {number} target
 */
export function printRatio(title, value, target) {
  console.log(`${title.padEnd(72)} ${value.toFixed(2).padStart(6)}   (target at most ${target.toFixed(2)})`);
}
