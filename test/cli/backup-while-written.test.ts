import { expect, test } from 'vitest';

import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

describeOnServer('a database that is written to all the time', () => {
  test('is backed up with the rows of one moment, which are those that its manifest has', async () => {
    const { admin, url } = await createServerDatabase();
    await admin.query('create table written as select n from generate_series(1, 100) n');
    const env = { DATABASE_URL: url, AISEC_BACKUP_DIR: await createEmbeddedDirectory() };
    const over = new AbortController();
    const write = async (): Promise<number> => {
      let written = 0;
      for (; !over.signal.aborted; written += 1) await admin.query('insert into written values (0)');
      return written;
    };
    const writing = write();
    const backup = await runInProcess(['backup', '--json'], { env }).finally(() => over.abort());
    expect(backup, backup.stderr).toMatchObject({ exitCode: 0 });
    const { file, rows } = JSON.parse(backup.stdout);
    expect(rows).toBeLessThanOrEqual(100 + (await writing));
    const verify = await runInProcess(['backup', 'verify', file, '--deep', '--json'], { env });
    expect(JSON.parse(verify.stdout).results).toMatchObject([{ verdict: 'good' }]);
  });
});
