import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { rounds } from '../support/chance.js';
import { describeOnServer } from '../support/database.js';
import { useRestoreFixture } from '../support/restore-fixture.js';

const KILLS = rounds(3, 10);

describeOnServer('aisec restore --replace', () => {
  const { newName, urlOf, restore, start, databases, queryIn } = useRestoreFixture();

  test(
    'killed at any moment, nothing half-restored has the final name, and the next run completes',
    { timeout: 600_000 },
    async () => {
      const name = newName();
      expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
      await queryIn(name, "delete from messages where content <> 'message 1'");
      let kills = 0;
      for (let delayMs = 350; kills < KILLS; delayMs += 1300 / KILLS) {
        const run = start(['--replace', '--confirm', name, '--terminate', '--wait', '1h'], urlOf(name));
        const ended = await Promise.race([run.finished, sleep(delayMs)]);
        run.child.kill('SIGKILL');
        await run.finished;
        kills += 1;
        // The live database is there at every moment: the old one, or, once a run was quick enough, the restored one.
        const [row] = await queryIn(name, 'select count(*)::int as n from messages');
        expect([1, 300]).toContain(row?.['n']);
        if (ended !== undefined) break;
      }
      const last = await restore(['--replace', '--confirm', name, '--terminate', '--wait', '1h'], urlOf(name));
      expect(last).toMatchObject({ exitCode: 0 });
      expect(await queryIn(name, 'select count(*)::int as n from messages')).toEqual([{ n: 300 }]);
      expect(await databases(`aisec_restoring_${name}`)).toEqual([]);
    },
  );
});
