import type { PGlite } from '@electric-sql/pglite';

import { quoteIdentifier } from '../../../base/identifier.js';
import type { Batch } from './batches.js';
import { cutText, FrameReader, frame, type Frame } from './frames.js';
import type { PreparedStatements } from './statements.js';

/** What the session must be like when a client has it. */
export interface ClientState {
  readonly user: string;
  readonly statements: PreparedStatements;
  settings: ReadonlyMap<string, string>;
  /** Settings of applications that it may have set. */
  readonly ownSettings: Set<string>;
  role: string;
  mayHaveSettings: boolean;
  isListening: boolean;
  /** How often all statements had been deallocated when it last had the session. */
  deallocations: number;
}

export interface Answer {
  readonly frames: readonly Frame[];
  /** `I` outside of a transaction, `T` in one, `E` in a failed one; undefined where the batch does not end with it. */
  readonly status: string | undefined;
}

const SYNC = frame('S');

/** What a server reports to a client at the start: https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-ASYNC */
const REPORTED = [
  'application_name',
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'scram_iterations',
  'search_path',
  'server_encoding',
  'server_version',
  'session_authorization',
  'standard_conforming_strings',
  'TimeZone',
];

const setConfig = 'select pg_catalog.set_config($1, $2, false)';

/** The session of an engine, passed on between clients with what each of them has set and prepared in it. */
export class SharedSession {
  readonly #engine: PGlite;
  #current: ClientState | undefined;
  #deallocations = 0;

  constructor(engine: PGlite) {
    this.#engine = engine;
  }

  /** Logs a client in: the values that are reported to it. @throws what PostgreSQL says about the role or a setting. */
  async logIn(client: ClientState): Promise<readonly (readonly [string, string])[]> {
    const stored = await this.#engine.query<{ setting: string }>(
      `select unnest(s.setconfig) as setting
       from pg_catalog.pg_db_role_setting as s join pg_catalog.pg_roles as r on r.oid = s.setrole
       where r.rolname = $1 and s.setdatabase = any (select 0::oid union all
         select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
       order by s.setdatabase`,
      [client.user],
    );
    const own = stored.rows.map(({ setting }) => {
      const [name = '', ...value] = setting.split('=');
      return [name, value.join('=')] as const;
    });
    client.settings = new Map([...own, ...client.settings]);
    client.deallocations = this.#deallocations;
    await this.#enter(client);
    const { rows } = await this.#engine.query<{ name: string; value: string | null }>(
      'select name, pg_catalog.current_setting(name, true) as value from unnest($1::text[]) as name',
      [REPORTED],
    );
    const answers: Readonly<Record<string, string>> = { session_authorization: client.user };
    return rows.map(({ name, value }) => [name, answers[name] ?? value ?? ''] as const);
  }

  async mayLogIn(user: string): Promise<boolean | undefined> {
    const sql = 'select rolcanlogin as may from pg_catalog.pg_roles where rolname = $1';
    return (await this.#engine.query<{ may: boolean }>(sql, [user])).rows[0]?.may;
  }

  /** Runs a batch as its client. */
  async run(
    client: ClientState,
    batch: Batch,
    onFrames: (frames: readonly Frame[]) => void,
  ): Promise<string | undefined> {
    const isNew = this.#current !== client;
    if (isNew) await this.#enter(client);
    if (client.deallocations !== this.#deallocations) {
      await this.#send(Buffer.concat([...client.statements.all, SYNC]), () => undefined);
      client.deallocations = this.#deallocations;
    } else if (isNew && batch.needsUnnamed && client.statements.unnamed !== undefined)
      await this.#send(Buffer.concat([client.statements.unnamed, SYNC]), () => undefined);
    for (const name of batch.ownSettings) client.ownSettings.add(name);
    client.mayHaveSettings ||= batch.mayChangeSettings;
    return this.#send(batch.bytes, (frames) => {
      for (const each of frames) if (each.type === 'C') this.#noteCommand(client, cutText(each.body)[0]);
      onFrames(frames);
    });
  }

  /** After the last batch of a client. */
  async leave(client: ClientState, isLastListener: boolean): Promise<void> {
    const closing = client.statements.closing;
    if (this.#engine.isInTransaction()) await this.#engine.exec('rollback');
    if (closing.length > 0) await this.#send(Buffer.concat([...closing, SYNC]), () => undefined);
    if (client.isListening && isLastListener) await this.#engine.exec('unlisten *');
    if (this.#current !== client) return;
    this.#current = undefined;
    await this.#reset();
  }

  #noteCommand(client: ClientState, tag: string): void {
    if (tag === 'SET' || tag === 'RESET') client.mayHaveSettings = true;
    if (tag === 'LISTEN') client.isListening = true;
    if (tag !== 'DISCARD ALL' && tag !== 'DEALLOCATE ALL') return;
    this.#deallocations += 1;
    client.deallocations = this.#deallocations;
    client.statements.forget();
  }

  async #enter(client: ClientState): Promise<void> {
    if (this.#current?.mayHaveSettings === true) await this.#keepSettings(this.#current);
    this.#current = undefined;
    await this.#reset();
    for (const [name, value] of client.settings) await this.#engine.query(setConfig, [name, value]);
    await this.#engine.exec(`set session authorization ${quoteIdentifier(client.user)}`);
    if (client.role !== 'none') await this.#engine.query(setConfig, ['role', client.role]);
    this.#current = client;
  }

  async #reset(): Promise<void> {
    await this.#engine.exec('reset session authorization; reset all');
  }

  async #keepSettings(client: ClientState): Promise<void> {
    const { rows } = await this.#engine.query<{ name: string; setting: string | null }>(
      `select name, setting from pg_catalog.pg_settings where source = 'session' and name not in ('role', 'session_authorization')
       union all select name, pg_catalog.current_setting(name, true) from unnest($1::text[]) as name
       union all select 'role', pg_catalog.current_setting('role')`,
      [[...client.ownSettings]],
    );
    const known = rows.filter((row): row is { name: string; setting: string } => row.setting !== null);
    client.role = known.find(({ name }) => name === 'role')?.setting ?? 'none';
    client.settings = new Map(known.filter(({ name }) => name !== 'role').map(({ name, setting }) => [name, setting]));
    client.mayHaveSettings = false;
  }

  async #send(bytes: Buffer, onFrames: (frames: readonly Frame[]) => void): Promise<string | undefined> {
    const reader = new FrameReader({ isTyped: true });
    let status: string | undefined;
    await this.#engine.runExclusive(() =>
      this.#engine.execProtocolRawStream(bytes, {
        onRawData: (data) => {
          reader.push(Buffer.from(data));
          const frames: Frame[] = [];
          for (let next = reader.next(); next !== undefined; next = reader.next()) {
            if (next.type === 'Z') status = next.body.toString('latin1');
            frames.push(next);
          }
          onFrames(frames);
        },
      }),
    );
    return status;
  }
}
