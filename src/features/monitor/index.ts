// How a measurement is taken without disturbing the server, for other features that take one.
export { inReadOnly } from './inspection/read-only.js';
// A page of HTML in the style of the report, and how it becomes a file.
export { htmlDocument } from './page/document.js';
export { html, type Html } from './page/html.js';
export { momentText, percentText } from './page/words.js';
