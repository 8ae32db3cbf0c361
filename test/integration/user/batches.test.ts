import { expect, test } from 'vitest';

import { ChosenRows } from '../../../src/adapters/catalog/references/chosen-rows.js';
import { tableIn } from '../../../src/adapters/catalog/references/reference.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { BatchSize, inBatches } from '../../../src/features/user/erase/batches.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { withSession } from '../catalog/catalog-session.js';

/** As in `'{"(0,1)","(0,2)"}'::tid[]`. */
const countOf = (places: string): number => places.split('(').length - 1;

type Change = Parameters<typeof inBatches>[6];

/** Every row of the table notes is chosen; what is returned changes them in batches. */
async function chooseNotes(session: Session): Promise<(change: Change) => Promise<number>> {
  const key = tableIn('public', 'notes');
  const choice = await ChosenRows.of(session, [{ key, name: key }]);
  await choice.where(key, 'true');
  const [part] = await choice.parts(key);
  if (part === undefined) throw new Error('nothing was chosen');
  return (change) => inBatches(session, choice, key, part, new BatchSize(), () => undefined, change);
}

describeOnServer('the batches of an erasure', () => {
  test('do not grow from places whose rows are gone already, which cost nothing', async () => {
    const database = await createServerDatabase();
    await database.admin.query('create table notes as select n from generate_series(1, 3000) n');
    await withSession(database.url, async (session) => {
      const change = await chooseNotes(session);
      // As by a trigger that changes a reply when the message before it is deleted: the row has another place then.
      await database.admin.query('update notes set n = n where n > 500');
      const batches: (readonly [number, number])[] = [];
      await change(async (places) => {
        const { rowCount } = await session.query(`delete from only public.notes where ctid = any(${places})`);
        batches.push([countOf(places), rowCount]);
        return rowCount;
      });
      const ofNothing = batches.filter(([, changed]) => changed === 0).map(([places]) => places);
      expect(ofNothing.length).toBeGreaterThan(40);
      expect(Math.max(...ofNothing)).toBe(50);
      expect(batches.reduce((sum, [, changed]) => sum + changed, 0)).toBe(500);
    });
  });

  test('reach every row of a table that has more places than are read at once, the last one first', async () => {
    const database = await createServerDatabase();
    await database.admin.query('create table notes as select n from generate_series(1, 25000) n');
    await withSession(database.url, async (session) => {
      const change = await chooseNotes(session);
      const firstRows: number[] = [];
      const deleted = await change(async (places) => {
        const { rows } = await session.query<{ n: number }>(
          `delete from only public.notes where ctid = any(${places}) returning n`,
        );
        firstRows.push(Math.max(...rows.map(({ n }) => n)));
        return rows.length;
      });
      expect(deleted).toBe(25_000);
      expect(firstRows).toEqual(firstRows.toSorted((a, b) => b - a));
    });
  });

  test('are ended by the server when they take too long, and begun again smaller, down to one row', async () => {
    const database = await createServerDatabase();
    // A row takes 9 ms at the least, and the first one longer than any batch may.
    for (const sql of [
      'create table notes as select n from generate_series(1, 40) n',
      `create function wait() returns trigger language plpgsql as $$
       begin perform pg_sleep(case old.n when 1 then 0.1 else 0.009 end); return old; end $$`,
      'create trigger wait before delete on notes for each row execute function wait()',
    ])
      await database.admin.query(sql);
    await withSession(database.url, async (session) => {
      const change = await chooseNotes(session);
      const completed: number[] = [];
      await change(async (places, limit) => {
        const { rowCount } = await session.query(`${limit}delete from only public.notes where ctid = any(${places})`);
        completed.push(rowCount);
        return rowCount;
      });
      expect(Math.max(...completed)).toBeLessThanOrEqual(4);
      expect(completed.at(-1)).toBe(1);
      expect(completed.reduce((sum, rows) => sum + rows, 0)).toBe(40);
      expect((await session.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '0' }]);
    });
  });
});
