// Preloaded into a run of aisec: kills the process in the place of the n-th statement that it sends, or of the first one with a
// text. The program brings its driver along in one file, so the statements are told by the messages Query and Parse of the protocol.
import net from 'node:net';
import process from 'node:process';

const STATEMENTS = new Set(['Q'.codePointAt(0), 'P'.codePointAt(0)]);
const place = process.env['KILL_AT_QUERY'] ?? '';
const position = Number(place);
const write = /** @type {Function} */ (Reflect.get(net.Socket.prototype, 'write'));
let sent = 0;
/** @param {unknown} chunk @param {...any} args */
net.Socket.prototype.write = function (chunk, ...args) {
  const isStatement = this.remotePort !== undefined && chunk instanceof Uint8Array && STATEMENTS.has(chunk[0]);
  if (isStatement) sent += 1;
  const isThere = Number.isNaN(position) ? isStatement && Buffer.from(chunk).includes(place) : sent >= position;
  if (isThere) process.kill(process.pid, 'SIGKILL');
  return write.call(this, chunk, ...args);
};
