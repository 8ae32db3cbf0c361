import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Browser } from 'playwright-core';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { describeInBrowser, expectReadable, openPage } from '../support/browser.js';
import { BUSY_SERVER } from '../support/busy-server.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { readZip } from '../support/read-zip.js';
import { startCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

/** As long as PostgreSQL lets a name be, without a place to break it; and one of another script. */
const LONG_NAME = 'a'.repeat(63);
const JAPANESE_NAME = '会話の履歴と要約の一覧';

describeOnServer('pages that aisec writes', () => {
  describeInBrowser('looked at', (browser: () => Browser) => {
    let database: ServerDatabase;
    const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-pages-'));
    const file = (name: string): string => path.join(directory, name);
    const environment = (): Record<string, string> => ({
      DATABASE_URL: database.url,
      AISEC_THRESHOLDS: BUSY_SERVER,
      PATH: process.env['PATH'] ?? '',
    });
    const aisec = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(args, { env: environment(), cwd: directory });

    beforeAll(async () => {
      database = await createServerDatabase({ migrated: true });
      expect(await aisec('seed', 'demo', '--yes', '--users', '5', '--messages', '60', '--months', '6')).toMatchObject({ exitCode: 0 }); // prettier-ignore
      for (const name of [LONG_NAME, JAPANESE_NAME])
        await database.admin.query(`create table ${pg.escapeIdentifier(name)} (id integer primary key, ${pg.escapeIdentifier(name)} text)`); // prettier-ignore
      await aisec('archive', '--older-than', '4mo');
      await aisec('monitor', 'record');
    });
    afterAll(() => {
      rmSync(directory, { recursive: true, force: true });
    });

    test('the report is readable in every width, light, dark and on paper', async () => {
      expect(await aisec('monitor', 'report', '--out', file('report.html'), '--size-limit', '1GB')).toMatchObject({ exitCode: 0 }); // prettier-ignore
      await expectReadable(browser(), readFileSync(file('report.html'), 'utf8'));
    });

    test('so are the page of a drill, what a person is handed, and the certificate of an erasure', async () => {
      expect(await aisec('backup', '--dir', 'backups')).toMatchObject({ exitCode: 0 });
      expect(await aisec('backup', 'drill', '--dir', 'backups', '--html', file('drill.html'))).toMatchObject({ exitCode: 0 }); // prettier-ignore
      await expectReadable(browser(), readFileSync(file('drill.html'), 'utf8'));

      const { rows } = await database.admin.query(
        'select username from users u join conversations c on c.user_id = u.id limit 1',
      );
      const username = String(rows[0]?.['username']);
      for (const language of ['en', 'ja']) {
        expect(await aisec('user', 'export', username, '--out', `${language}.zip`, '--language', language)).toMatchObject({ exitCode: 0 }); // prettier-ignore
        await expectReadable(browser(), readZip(file(`${language}.zip`)).get('index.html') ?? '');
      }
      const erased = await aisec('user', 'erase', username, '--confirm', username, '--shared', 'keep');
      expect(erased, erased.stderr).toMatchObject({ exitCode: 0 });
      const certificate = readdirSync(directory).find((name) => name.startsWith('erasure-') && name.endsWith('.html'));
      await expectReadable(browser(), readFileSync(file(certificate ?? ''), 'utf8'));
    });

    test('the page that is served shows a change where it is, and says when aisec has ended', async () => {
      const server = startCli(['monitor', 'serve', '--port', '0'], { env: environment(), timeoutMs: 600_000 });
      try {
        await server.waitForOutput('Ready: ');
        const page = await openPage(browser());
        const complaints: string[] = [];
        page.on('pageerror', ({ message }) => complaints.push(message));
        await page.goto(server.stdout().trim());
        const lines = page.locator('main');
        // What a reload would lose.
        await page.evaluate("document.documentElement.dataset.kept = 'yes'; window.scrollTo(0, 400)");
        await database.admin.query("create table came_later as select n, repeat('x', 100) as filler from generate_series(1, 9000) as n"); // prettier-ignore
        await waitFor(async () => (await lines.textContent())?.includes('came_later') === true);
        expect(await page.evaluate('[document.documentElement.dataset.kept, window.scrollY]')).toEqual(['yes', 400]); // prettier-ignore
        server.child.kill('SIGINT');
        expect(await server.finished).toMatchObject({ exitCode: 130 });
        await page.getByText('Not live any more').waitFor();
        expect(complaints).toEqual([]);
        await page.close();
      } finally {
        server.child.kill('SIGKILL');
      }
    });
  });
});
