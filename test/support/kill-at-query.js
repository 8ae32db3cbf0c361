// Preloaded into a run of aisec: kills the process in the place of the n-th statement that it sends. The program brings its
// driver along in one file, so the statements are told by the messages Query and Parse of the protocol.
import net from 'node:net';
import process from 'node:process';

const STATEMENTS = new Set(['Q'.codePointAt(0), 'P'.codePointAt(0)]);
const position = Number(process.env['KILL_AT_QUERY']);
const write = /** @type {Function} */ (Reflect.get(net.Socket.prototype, 'write'));
let sent = 0;
/** @param {unknown} chunk @param {...any} args */
net.Socket.prototype.write = function (chunk, ...args) {
  if (this.remotePort !== undefined && chunk instanceof Uint8Array && STATEMENTS.has(chunk[0])) sent += 1;
  if (sent >= position) process.kill(process.pid, 'SIGKILL');
  return write.call(this, chunk, ...args);
};
