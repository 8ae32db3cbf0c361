import { setTimeout as sleep } from 'node:timers/promises';

import { drawIsolation, isolateSession } from './isolation.js';
import { monthStart } from './months.js';
import { seededRandom } from './random.js';
import { connect } from './server.js';

const EXPECTED = new Set(['55P03', '40001']);
const WRONG_ISOLATION = '25000';
/** The default partition holds messages of the month: the command drains it, the function does not. */
const HOLDS_MESSAGES = '55000';

/**
 * The SQL functions as pg_cron calls them, one session a call, beside the commands.
 *
 * @param {string} database
 * @param {{ months: number, seed: number }} options
 */
export function openFunctions(database, { months, seed }) {
  const random = seededRandom(seed * 1000 + 901);
  /** Calls by function and answer. @type {Map<string, number>} */
  const answers = new Map();
  /** Answers that nobody expects. @type {string[]} */
  const unexpected = [];

  const call = async () => {
    const from = monthStart(random.below(months)).toISOString().slice(0, 10);
    const [name, sql] = /** @type {[string, string]} */ (
      random.pick([
        ['ensure_message_partitions()', 'select problem, problem_code from ensure_message_partitions()'],
        [
          'ensure_message_partitions(3, …)',
          `select problem, problem_code from ensure_message_partitions(3, '${from}')`,
        ],
        ['archive_old_messages()', 'select archive_old_messages()'],
        ['archive_old_messages()', 'select archive_old_messages()'],
      ])
    );
    const client = await connect(database, 'pg_cron');
    /** @param {string} answer */
    const count = (answer) => answers.set(`${name}: ${answer}`, (answers.get(`${name}: ${answer}`) ?? 0) + 1);
    let isolation = 'unknown';
    try {
      // Mostly as the runbook has it, now and then with whatever the session or the database has.
      const level = random.next() < 0.7 ? /** @type {const} */ ('read committed') : drawIsolation(random);
      await client.query(isolateSession(level));
      isolation = (await client.query('show default_transaction_isolation')).rows[0].default_transaction_isolation;
      const { rows } = await client.query(sql);
      for (const { problem, problem_code: code } of rows) {
        if (problem === undefined || problem === null) continue;
        count(`a month refused with ${code}`);
        if (!EXPECTED.has(code) && code !== HOLDS_MESSAGES) unexpected.push(`${name}: ${code} ${problem}`);
      }
      count('answered');
    } catch (error) {
      const { code = 'unknown', message, detail = '' } = /** @type {import('pg').DatabaseError} */ (error);
      count(`${code}${code === WRONG_ISOLATION ? ' (not READ COMMITTED)' : ''}`);
      const isRefusal = code === WRONG_ISOLATION && isolation !== 'read committed';
      if (!EXPECTED.has(code) && !isRefusal) unexpected.push(`${name} (${isolation}): ${code} ${message} ${detail}`);
    } finally {
      await client.end();
    }
  };

  return {
    answers,
    unexpected,
    /** @param {number} untilMs */
    async run(untilMs) {
      while (performance.now() < untilMs) {
        await call();
        await sleep(200 + random.below(1500));
      }
    },
  };
}
