import { existsSync } from 'node:fs';

import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';

import { needsBrowser } from './needs.js';

const PROGRAM = '/usr/bin/chromium';
/** Playwright waits 30 s for a start or a page, which a slow machine may need. */
const PATIENCE_MS = 240_000;
/** A telephone, a tablet or half a screen, and a notebook. */
const WIDTHS = [390, 800, 1280];
/** A4 at 96 pixels an inch, without the margins of a printer. */
const PAPER_WIDTH = 718;

/**
 * Like `describe`, for what must be looked at with a browser: Debian's Chromium. Skipped, and counted as such, where there is
 * none; with CI set it runs and fails there.
 */
export function describeInBrowser(title: string, tests: (browser: () => Browser) => void): void {
  describe.skipIf(!process.env['CI'] && !existsSync(PROGRAM))(`${title} ${needsBrowser}`, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: PROGRAM,
        timeout: PATIENCE_MS,
        // Root may not use the sandbox; the rest would ask for hosts of its maker.
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      }); // prettier-ignore
    });
    afterAll(() => browser?.close());
    tests(() => {
      if (browser === undefined) throw new Error('Chromium has not started');
      return browser;
    });
  });
}

/** A page that waits as long as the machine needs. */
export async function openPage(browser: Pick<Browser, 'newPage'>): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

/** Runs in the page: what is wider than it, by its text, where it scrolls sideways. */
const SIDEWAYS = `(() => {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll('main *')]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
    .slice(0, 3)
    .map(({ outerHTML }) => outerHTML.slice(0, 200));
})()`;

/** The rules of axe that a page breaks, with the elements. Of a page in the dark all but colours are what they were. */
async function violations(page: Page, colorScheme: 'light' | 'dark'): Promise<readonly string[]> {
  if (colorScheme === 'light') await page.evaluate(axe.source);
  const runOnly = colorScheme === 'light' ? '' : ", runOnly: ['color-contrast']";
  const { violations: found } = await page.evaluate<axe.AxeResults>(
    `axe.run(document, { resultTypes: ['violations']${runOnly} })`,
  );
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`,
  );
}

/**
 * Opens a page as it is, without a network, in each width, light, dark and on paper: nothing scrolls sideways, axe finds
 * nothing, and the browser has nothing to complain of.
 */
export async function expectReadable(browser: Browser, markup: string): Promise<void> {
  // Otherwise the page's own policy would stop axe.
  const context = await browser.newContext({ offline: true, bypassCSP: true });
  try {
    const page = await openPage(context);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', ({ message }) => complaints.push(message));
    await page.setContent(markup);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ media: 'screen', colorScheme });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate(SIDEWAYS), `${width} pixels`).toEqual([]);
      }
      expect(await violations(page, colorScheme), colorScheme).toEqual([]);
    }
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: PAPER_WIDTH, height: 1000 });
    expect(await page.evaluate(SIDEWAYS), 'on paper').toEqual([]);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}
