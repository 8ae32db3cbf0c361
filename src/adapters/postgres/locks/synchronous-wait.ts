/** What it needs of a session, which itself needs this. */
interface Committing {
  readonly info: { readonly pid: number };
  openSide(): Promise<
    | {
        readonly query: <Row extends object>(text: string, values: readonly unknown[]) => Promise<readonly Row[]>;
        readonly close: () => Promise<void>;
      }
    | undefined
  >;
  readonly notify: (notice: {
    readonly severity: string;
    readonly message: string;
    readonly detail: string;
    readonly hint: string;
  }) => void;
}

const LOOK_AFTER_MS = 2000;

/** A commit waits for a standby without any limit of time: it is said once, since nothing else shows it. */
async function warnOfStandby(session: Committing): Promise<void> {
  const side = await session.openSide();
  if (side === undefined) return;
  try {
    const [waiting] = await side.query<{ standbys: string }>(
      `select pg_catalog.current_setting('synchronous_standby_names') as standbys
       from pg_catalog.pg_stat_activity as activity
       where activity.pid = $1
         and activity.wait_event = 'SyncRep'`,
      [session.info.pid],
    );
    if (waiting === undefined) return;
    session.notify({
      severity: 'WARNING',
      message: `a commit waits for a synchronous standby (synchronous_standby_names = '${waiting.standbys}')`,
      detail: 'It is committed on this server, and ends when a standby answers.',
      hint: 'Start the standby, or have an administrator correct synchronous_standby_names. Ctrl-C ends the wait.',
    });
  } finally {
    await side.close();
  }
}

/** Runs a COMMIT, and says what it waits for when that takes long. */
export async function watchingCommit(session: Committing, commit: () => Promise<unknown>): Promise<void> {
  // A look that fails, as where no connection is left, only costs the warning.
  let look: Promise<void> | undefined;
  const timer = setTimeout(() => {
    look = warnOfStandby(session).catch(() => undefined);
  }, LOOK_AFTER_MS);
  try {
    await commit();
  } finally {
    clearTimeout(timer);
    await look;
  }
}
