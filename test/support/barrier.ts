import type { ServerDatabase } from './database.js';

/** SQL that waits until `tell` is called, by no lock: no lock_timeout ends it. */
export const UNTIL_TOLD = 'barrier.until_told()';

/** Makes `UNTIL_TOLD` callable in a database, and returns what lets everybody pass. */
export async function makeBarrier({
  admin,
}: Pick<ServerDatabase, 'admin'>): Promise<{ readonly tell: () => Promise<unknown> }> {
  await admin.query(
    `create schema barrier;
     create table barrier.told (at timestamptz);
     create function barrier.until_told() returns text language plpgsql as $$
     begin
       while not exists (select from barrier.told) loop
         perform pg_sleep(0.02);
       end loop;
       return 'told';
     end $$`,
  );
  return { tell: () => admin.query('insert into barrier.told values (now())') };
}
