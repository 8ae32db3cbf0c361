import { html, Html } from './html.js';
import { STYLE } from './style.js';

/** Nothing of a page is ever fetched or run, whatever a name in the database may be. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The one script of a page that is served, which may ask for the page itself. */
export interface PageScript {
  readonly nonce: string;
  readonly script: Html;
}

/** One HTML document that needs no network, no font and, unless one is given, no script. */
export function htmlDocument(title: string, body: Html, live?: PageScript, language: 'en' | 'ja' = 'en'): string {
  const policy = live === undefined ? POLICY : `${POLICY}; script-src 'nonce-${live.nonce}'; connect-src 'self'`;
  const style = new Html(`<style>${STYLE}</style>`);
  return html`${new Html('<!doctype html>')}
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${style}
      </head>
      <body>
        <main>${body}</main>
        ${live !== undefined && live.script}
      </body>
    </html> `.text;
}
