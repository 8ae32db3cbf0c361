import { htmlDocument } from './document.js';
import { html, Html } from './html.js';
import { pageBody, pageTitle } from './page.js';
import type { ReportData } from './report-data.js';

const LOOK_EVERY_MS = 2000;
/** Of a page that is not in sight. */
const REST_EVERY_MS = 10_000;

const LIVE = 'Live: read again when something changes.';
const LOST = 'Not live any more: aisec has ended, or does not answer. Below is what it last reported.';

/**
 * Puts the sections of a new report in the place of those that differ, and leaves the others alone: nothing flickers, and
 * what the reader has unfolded and where they have scrolled to stays.
 */
const SCRIPT = `
const main = document.querySelector('main');
const state = document.getElementById('live');
let etag = state.dataset.version;
const keyOf = (part, at) => part.id || part.localName + at;
const isOpenIn = (part) => [...part.querySelectorAll('details')].map((each) => each.open);
const show = (text) => {
  const next = [...new DOMParser().parseFromString(text, 'text/html').querySelector('main').children];
  const old = new Map([...main.children].map((part, at) => [keyOf(part, at), part]));
  let before = state;
  next.forEach((part, at) => {
    const key = keyOf(part, at);
    const there = old.get(key);
    old.delete(key);
    if (key === 'live') return;
    if (there === undefined) before.after(part);
    else {
      const open = isOpenIn(there);
      part.querySelectorAll('details').forEach((each, n) => { each.open = open[n] === true; });
      if (!there.isEqualNode(part)) there.replaceWith(part);
    }
    before = part.isConnected ? part : there;
  });
  for (const part of old.values()) part.remove();
};
const say = (text, isLost) => {
  if (state.textContent !== text) state.textContent = text;
  state.classList.toggle('lost', isLost);
};
const look = async () => {
  try {
    const answer = await fetch(location.href, { cache: 'no-store', headers: { 'if-none-match': etag } });
    if (answer.status === 200) {
      show(await answer.text());
      etag = answer.headers.get('etag');
    } else if (answer.status !== 304) throw new Error(answer.statusText);
    say(${JSON.stringify(LIVE)}, false);
  } catch {
    say(${JSON.stringify(LOST)}, true);
  }
  setTimeout(look, document.hidden ? ${REST_EVERY_MS} : ${LOOK_EVERY_MS});
};
setTimeout(look, ${LOOK_EVERY_MS});
`;

/** The report as a page that keeps itself up to date. Its one script is the one with the nonce. */
export function renderLivePage(
  data: ReportData,
  { nonce, version }: { readonly nonce: string; readonly version: string },
): string {
  return htmlDocument(
    pageTitle(data),
    html`<p id="live" class="meta" role="status" data-version="${`"${version}"`}">${LIVE}</p>
      ${pageBody(data)}`,
    { nonce, script: new Html(`<script nonce="${nonce}">${SCRIPT}</script>`) },
  );
}
