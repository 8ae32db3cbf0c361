// How a measurement is taken without disturbing the server, for other features that take one.
export { inReadOnly } from './inspection/read-only.js';
