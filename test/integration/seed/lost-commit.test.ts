import { connect, createServer, type AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { onTerminal } from '../../support/on-terminal.js';
import { waitFor } from '../../support/wait-for.js';

/** Stands before a server and breaks the connection once it has passed on a COMMIT. Returns its port. */
async function breakAtCommit(
  host: string,
  port: number,
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const proxy = createServer((client) => {
    const server = connect(port, host);
    let isOver = false;
    client.on('data', (data) => {
      server.write(data);
      isOver ||= data.includes('commit\0');
      if (isOver) client.destroy();
    });
    server.on('data', (data) => isOver || client.write(data));
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => server.end());
    server.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { port: (proxy.address() as AddressInfo).port, stop: () => proxy.close() };
}

describeOnServer('aisec seed whose connection breaks at the commit', () => {
  test('shows the generated password all the same, since the admin may be there', async () => {
    const database = await createServerDatabase({ migrated: true });
    const url = new URL(database.url);
    const proxy = await breakAtCommit(url.hostname, Number(url.port));
    url.port = String(proxy.port);
    const { screen, exitCode } = await onTerminal('aisec seed', { DATABASE_URL: url.href });
    proxy.stop();
    expect(exitCode).toBe(4);
    expect(screen).toContain('lost the connection while committing');
    const password = /^admin password, if the server did commit .*: (\w{20})\r?$/m.exec(screen)?.[1];
    // The server may still be committing when nobody listens any more.
    await waitFor(async () => (await database.admin.query('select from users')).rowCount === 1);
    const { rows } = await database.admin.query('select verify_password($1, password_hash) as accepts from users', [
      password,
    ]);
    expect(rows).toEqual([{ accepts: true }]);
  });
});
