import { connect } from './server.js';

const RUNNING_KEY = 815_002;

/**
 * Looks at the sessions of a program again and again, about every half millisecond, in a loop inside the server, and notes how
 * old the oldest transaction was in which one of them held a lock for writing on a table, temporary ones and catalogs (of an ANALYZE)
 * left out. The age counts
 * what the transaction read before it wrote, and misses what came after the last look, which is less than the longest gap.
 *
 * @param {string} database
 * @param {string} program application_name of the sessions
 */
export async function startWriteSampler(database, program) {
  const [sampler, flag] = await Promise.all([
    connect(database, 'write sampler'),
    connect(database, 'write sampler flag'),
  ]);
  await flag.query('select pg_advisory_lock($1)', [RUNNING_KEY]);
  await sampler.query(`
    create or replace function pg_temp.sample_writes(out longest_ms float8, out seen int, out looks int, out longest_gap_ms float8,
      out longest_query text)
    language plpgsql as $$
    declare
      age_ms float8;
      query_now text;
      last_look timestamptz := clock_timestamp();
    begin
      longest_ms := 0; seen := 0; looks := 0; longest_gap_ms := 0;
      loop
        perform pg_stat_clear_snapshot();
        select extract(epoch from clock_timestamp() - a.xact_start) * 1000, a.query
        into age_ms, query_now
        from pg_stat_activity a
        where a.application_name = '${program}' and a.datname = current_database() and a.xact_start is not null
          and exists (
            select from pg_locks l join pg_class c on c.oid = l.relation
            where l.pid = a.pid and l.granted and l.locktype = 'relation' and c.relpersistence <> 't' and c.oid >= 16384
              and l.mode not in ('AccessShareLock', 'RowShareLock'))
        order by a.xact_start limit 1;
        looks := looks + 1;
        if age_ms is not null then seen := seen + 1; end if;
        if age_ms > longest_ms then longest_ms := age_ms; longest_query := query_now; end if;
        longest_gap_ms := greatest(longest_gap_ms, extract(epoch from clock_timestamp() - last_look) * 1000);
        last_look := clock_timestamp();
        exit when not exists (
          select from pg_locks l where l.locktype = 'advisory' and l.objid = ${RUNNING_KEY}
            and l.database = (select oid from pg_database where datname = current_database()));
        perform pg_sleep(0.0003);
      end loop;
    end $$`);
  const sampled = sampler.query('select * from pg_temp.sample_writes()');
  return {
    /** @returns {Promise<{ longestMs: number, seen: number, looks: number, longestGapMs: number, longestQuery: string | null }>} */
    async stop() {
      await flag.end();
      const { rows } = await sampled;
      await sampler.end();
      const { longest_ms: longestMs, seen, looks, longest_gap_ms: longestGapMs, longest_query: longestQuery } = rows[0];
      return { longestMs, seen, looks, longestGapMs, longestQuery };
    },
  };
}
