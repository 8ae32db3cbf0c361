import type { Socket } from 'node:net';

import { messageOf } from '../../../base/errors.js';
import { BatchReader, type Batch } from './batches.js';
import { errorFrame, frame, FrameReader, READY, type Frame, type ServerError } from './frames.js';
import type { ClientState, SharedSession } from './shared-session.js';
import { readOpening, type Opening } from './start-up.js';
import { PreparedStatements } from './statements.js';
import { TurnTimeout, type Turns } from './turns.js';

export interface Surroundings {
  readonly session: SharedSession;
  readonly turns: Turns<Connection>;
  readonly databaseName: string;
  /** Notifications, for the connections that listen. */
  readonly publish: (frames: readonly Frame[]) => void;
  readonly isLastListener: (connection: Connection) => boolean;
  /** The engine is gone: no client can be served any more. */
  readonly onFailure: (error: unknown) => void;
}

const ENCRYPTION_REFUSED = 'N';
const AUTHENTICATED = frame('R', Buffer.alloc(4));

/** One client, from its first packet to its end. */
export class Connection {
  readonly #socket: Socket;
  readonly #around: Surroundings;
  readonly #reader = new FrameReader({ isTyped: false });
  readonly #batches: BatchReader;
  readonly #state: ClientState;
  readonly #since = Date.now();
  #work: Promise<void> = Promise.resolve();
  #isSkipping = false;
  #isOver = false;

  constructor(socket: Socket, id: number, around: Surroundings) {
    this.#socket = socket;
    this.#around = around;
    const statements = new PreparedStatements(id);
    this.#batches = new BatchReader(statements, (bytes) => this.write(bytes));
    this.#state = {
      user: '',
      statements,
      settings: new Map(),
      ownSettings: new Set(),
      role: 'none',
      mayHaveSettings: false,
      isListening: false,
      deallocations: 0,
    };
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#leave());
  }

  get isListening(): boolean {
    return this.#state.isListening;
  }

  /** For another client that waits for this one. */
  get description(): string {
    const name = this.#state.settings.get('application_name');
    const who = name === undefined || name === '' ? 'a connection' : `a connection of ${name}`;
    return `${who} from port ${this.#socket.remotePort ?? '?'}, open since ${new Date(this.#since).toISOString()}`;
  }

  write(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  end(error: Omit<ServerError, 'severity'>): void {
    this.write(errorFrame({ severity: 'FATAL', ...error }));
    this.#socket.destroySoon();
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
      for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) this.#take(next);
    } catch {
      this.#socket.destroy();
    }
  }

  #take(next: Frame): void {
    if (!this.#reader.isTyped) this.#open(readOpening(next));
    else if (next.type === 'X') this.#socket.end();
    else {
      const batch = this.#batches.add(next);
      if (batch !== undefined) this.#inTurn(() => this.#run(batch));
    }
  }

  #open(opening: Opening): void {
    if (opening.kind === 'encryption') return this.write(ENCRYPTION_REFUSED);
    if (opening.kind !== 'session') return void this.#socket.destroy();
    this.#reader.isTyped = true;
    this.#inTurn(() => this.#logIn(opening));
  }

  /** One after the other, each in a turn of its own. */
  #inTurn(work: () => Promise<void>): void {
    this.#work = this.#work.then(() => (this.#isOver ? undefined : work())).catch(this.#around.onFailure);
  }

  async #logIn(opening: Opening & { readonly kind: 'session' }): Promise<void> {
    const { session, turns, databaseName } = this.#around;
    const state = Object.assign(this.#state, { user: opening.user, settings: opening.settings });
    if (opening.database !== databaseName)
      return this.end({
        sqlState: '3D000',
        message: `database "${opening.database}" does not exist`,
        hint: `The embedded database has one: ${databaseName}`,
      });
    await this.#inOwnTurn(undefined, () =>
      turns.take(this, async () => {
        const may = await session.mayLogIn(opening.user);
        if (may !== true) {
          const what = may === undefined ? 'does not exist' : 'is not permitted to log in';
          this.end({ sqlState: '28000', message: `role "${opening.user}" ${what}` });
          return false;
        }
        try {
          const reported = await session.logIn(state);
          if (opening.negotiation !== undefined) this.write(opening.negotiation);
          this.write(Buffer.concat([AUTHENTICATED, ...reported.map(([name, value]) => frame('S', name, value))]));
          this.write(Buffer.concat([frame('K', Buffer.alloc(8)), READY]));
        } catch (error) {
          const { code } = error as { code?: unknown };
          if (typeof code !== 'string') throw error;
          this.end({ sqlState: code, message: messageOf(error) });
        }
        return false;
      }),
    );
  }

  async #run(batch: Batch): Promise<void> {
    const { session, turns, publish } = this.#around;
    if (this.#isSkipping) {
      if (batch.isWhole) this.write(READY);
      this.#isSkipping = !batch.isWhole;
      return;
    }
    await this.#inOwnTurn(batch, () =>
      turns.take(this, async () => {
        const status = await session.run(this.#state, batch, (frames) => {
          publish(frames.filter(({ type }) => type === 'A'));
          const own = frames.filter(({ type }) => type !== 'A' && !(batch.isCopy && type === 'G'));
          this.write(Buffer.concat(own.map(({ bytes }) => bytes)));
        });
        return status !== 'I';
      }),
    );
  }

  /** A client that waited in vain gets an error for this statement and stays connected. */
  async #inOwnTurn(batch: Batch | undefined, take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      if (!(error instanceof TurnTimeout)) throw error;
      const { holder } = this.#around.turns;
      const answer = {
        sqlState: '55P03',
        message: 'another connection is in a transaction',
        detail: `The embedded database has one session; ${holder?.description ?? 'another connection'} has it.`,
        hint: 'End that transaction, or give `aisec db start` a longer --lock-timeout.',
      };
      if (batch === undefined) return this.end(answer);
      this.write(errorFrame({ severity: 'ERROR', ...answer }));
      if (batch.isWhole) this.write(READY);
      this.#isSkipping = !batch.isWhole;
    }
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { session, turns, isLastListener, onFailure } = this.#around;
    turns.forget(this);
    if (this.#state.user === '') return;
    const leave = async (): Promise<boolean> => {
      await session.leave(this.#state, isLastListener(this));
      return false;
    };
    turns.take(this, leave).catch((error: unknown) => {
      if (error instanceof TurnTimeout) return;
      onFailure(error);
    });
  }
}
