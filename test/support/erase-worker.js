// A worker of a service that erases a person in short steps, as a process of its own: `erase-worker.js URL USER`. It prints the
// last step.
import { setTimeout as sleep } from 'node:timers/promises';

import { createDatabase, eraseUser } from '../../dist/index.js';

const [, , url = '', user = ''] = process.argv;
const db = createDatabase({ url, poolSize: 1, maxOverflow: 0 });
let step = await eraseUser(db, user, { withinMs: 200 });
while (step.status !== 'done') {
  // The server has not noticed yet that the one before was killed.
  if (step.status === 'busy') await sleep(50);
  step = await eraseUser(db, user, { withinMs: 200 });
}
await db.destroy();
console.log(JSON.stringify(step));
