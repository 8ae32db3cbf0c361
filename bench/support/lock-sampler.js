import { connect } from './server.js';

const RUNNING_KEY = 815_001;

/**
 * Looks at pg_locks again and again, about every half millisecond, in a loop inside the server (no round trips), and
 * notes for how long ACCESS EXCLUSIVE on messages is held. A time is from the look before it was first seen to the look
 * after it was last seen, so it errs upwards; what is shorter than two looks may be missed.
 *
 * @param {string} database
 */
export async function startLockSampler(database) {
  const [sampler, flag] = await Promise.all([
    connect(database, 'lock sampler'),
    connect(database, 'lock sampler flag'),
  ]);
  await flag.query('select pg_advisory_lock($1)', [RUNNING_KEY]);
  await sampler.query(`
    create or replace function pg_temp.sample_locks(out held_ms float8[], out looks int, out longest_gap_ms float8)
    language plpgsql as $$
    declare
      is_held boolean;
      is_running boolean;
      held_since timestamptz;
      last_look timestamptz := clock_timestamp();
      look timestamptz;
    begin
      held_ms := '{}';
      looks := 0;
      longest_gap_ms := 0;
      loop
        select coalesce(bool_or(l.locktype = 'relation' and l.relation = 'messages'::regclass
                 and l.mode = 'AccessExclusiveLock' and l.granted), false),
               coalesce(bool_or(l.locktype = 'advisory' and l.objid = ${RUNNING_KEY}), false)
        into is_held, is_running
        from pg_locks l
        where l.database = (select oid from pg_database where datname = current_database());
        look := clock_timestamp();
        looks := looks + 1;
        longest_gap_ms := greatest(longest_gap_ms, extract(epoch from look - last_look) * 1000);
        if is_held and held_since is null then
          held_since := last_look;
        elsif not is_held and held_since is not null then
          held_ms := held_ms || (extract(epoch from look - held_since) * 1000)::float8;
          held_since := null;
        end if;
        last_look := look;
        exit when not is_running;
        perform pg_sleep(0.0003);
      end loop;
    end $$`);
  const sampled = sampler.query('select * from pg_temp.sample_locks()');
  return {
    /** @returns {Promise<{ heldMs: number[], looks: number, longestGapMs: number }>} */
    async stop() {
      await flag.end();
      const { rows } = await sampled;
      await sampler.end();
      const { held_ms: heldMs, looks, longest_gap_ms: longestGapMs } = rows[0];
      return { heldMs, looks, longestGapMs };
    },
  };
}
