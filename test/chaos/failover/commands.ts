import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type pg from 'pg';

import { writeMigrations } from '../../support/migrations-folder.js';
import { CONVERSATIONS, fillMonth, monthAgo } from '../../integration/archive/chat.js';

export interface Attempt {
  readonly args: readonly string[];
  /** It begins again by itself; all others end with exit 4, and are run again. */
  readonly outlives: boolean;
  /** What must be so whenever it ended well; throws or returns false where it is not. */
  readonly isDone: (admin: pg.Client) => Promise<boolean>;
  /** What must never be so, however it ended: half of the work called done. */
  readonly isHalfDone?: (admin: pg.Client) => Promise<boolean>;
}

export interface Command {
  readonly name: string;
  /** Pieces of network traffic of a whole run, about. */
  readonly pieces: number;
  readonly prepare: (admin: pg.Client, round: number) => Promise<Attempt>;
}

async function isSo(admin: pg.Client, condition: string): Promise<boolean> {
  const { rows } = await admin.query<{ is_so: boolean }>(`select ${condition} as is_so`);
  return rows[0]?.is_so === true;
}

const newDirectory = (): string => mkdtempSync(path.join(tmpdir(), 'aisec-test-failover-'));
const ALL_KEPT = `
  (select count(*) from all_messages) = (select count(*) from message_keys)
  and (select count(distinct id) from all_messages) = (select count(*) from message_keys)`;

const migrateUp: Command = {
  name: 'migrate up',
  pieces: 150,
  prepare: async (_, round) => {
    const tables = [1, 2, 3, 4, 5].map((n) => `failover_${round}_${n}`);
    const files = tables.map((table, index) => [`000${index + 1}_${table}`, `create table ${table} (id int);`]);
    const directory = writeMigrations(Object.fromEntries(files), path.join(newDirectory(), 'migrations'));
    return Promise.resolve({
      args: ['migrate', 'up', '--migrations-dir', `own${round}=${directory}`, '--max-wait', '60s'],
      outlives: true,
      isDone: async (admin) =>
        isSo(admin, `(select count(*) = 5 from pg_tables where tablename ~ '^failover_${round}_')`),
    });
  },
};

const ensure: Command = {
  name: 'partitions ensure',
  pieces: 60,
  prepare: async (_, round) => {
    const ahead = 6 + 3 * round;
    return Promise.resolve({
      args: ['partitions', 'ensure', '--ahead', String(ahead), '--max-wait', '60s'],
      outlives: true,
      isDone: async (there) =>
        isSo(
          there,
          `(select count(*) > ${ahead} from pg_inherits where inhparent = 'messages'::regclass and inhrelid::regclass::text ~ '_y')`,
        ),
    });
  },
};

async function withChat(admin: pg.Client): Promise<void> {
  await admin.query(CONVERSATIONS.replaceAll(/;/g, ' on conflict do nothing;'));
}

const archive: Command = {
  name: 'archive',
  pieces: 160,
  prepare: async (admin, round) => {
    await withChat(admin);
    const month = monthAgo(8 + round);
    await fillMonth({ admin }, month, 40);
    const { rows } = await admin.query<{ count: string }>('select count(*) from all_messages');
    return {
      args: ['archive', '--max-wait', '60s'],
      outlives: true,
      isDone: async (there) =>
        isSo(
          there,
          `not exists (select from messages where created_at < '${monthAgo(7)}-01'::timestamptz) and ${rows[0]?.count} = (select count(*) from all_messages) and ${ALL_KEPT}`,
        ),
      isHalfDone: async (there) => isSo(there, `not (${ALL_KEPT})`),
    };
  },
};

const erase: Command = {
  name: 'user erase',
  pieces: 150,
  prepare: async (admin, round) => {
    const name = `erased${round}`;
    await admin.query(
      `with u as (insert into users (username, email, password_hash) values ($1::text, $1::text || '@example.com', 'x') returning id),
        c as (insert into conversations (user_id) select id from u, generate_series(1, 3) returning id)
       insert into messages (conversation_id, role, content) select id, 'user', 'x' from c, generate_series(1, 5)`,
      [name],
    );
    const out = newDirectory();
    return {
      args: ['user', 'erase', name, '--confirm', name, '--out', out, '--dir', out],
      outlives: false,
      isDone: async (there) =>
        (await isSo(there, `not exists (select from users where username = '${name}') and ${ALL_KEPT}`)) &&
        readdirSync(out).some((file) => file.endsWith('.json')),
    };
  },
};

const backup: Command = {
  name: 'backup',
  pieces: 500,
  prepare: async () => {
    const directory = newDirectory();
    const dumps = (): string[] => readdirSync(directory).filter((file) => file.endsWith('.dump'));
    return Promise.resolve({
      args: ['backup', '--dir', directory],
      outlives: false,
      isDone: async () => Promise.resolve(dumps().length === 1),
      isHalfDone: async () =>
        Promise.resolve(dumps().some((file) => !existsSync(path.join(directory, `${file}.json`)))),
    });
  },
};

const demo: Command = {
  name: 'seed demo',
  pieces: 150,
  prepare: async (admin, round) => {
    const { rows } = await admin.query<{ count: string }>('select count(*) from users');
    const before = Number(rows[0]?.count);
    const size = ['--users', '3', '--messages', '60', '--embeddings', '5', '--months', '1'];
    return {
      args: ['seed', 'demo', '--yes', '--seed', `failover-${round}`, ...size],
      outlives: false,
      isDone: async (there) => isSo(there, `(select count(*) = ${before + 3} from users) and ${ALL_KEPT}`),
      isHalfDone: async (there) => isSo(there, `(select count(*) not in (${before}, ${before + 3}) from users)`),
    };
  },
};

const reading = (name: string, pieces: number, ...args: readonly string[]): Command => ({
  name,
  pieces,
  prepare: async () => Promise.resolve({ args, outlives: false, isDone: async () => Promise.resolve(true) }),
});

export const COMMANDS: readonly Command[] = [
  migrateUp,
  ensure,
  archive,
  erase,
  backup,
  demo,
  reading('doctor', 250, 'doctor'),
  reading('monitor', 80, 'monitor'),
  reading('monitor record', 30, 'monitor', 'record'),
];
