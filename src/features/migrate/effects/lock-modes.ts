/** Weakest first, as pg_locks names them. */
export const LOCK_MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

export type LockMode = (typeof LOCK_MODES)[number];

/** https://www.postgresql.org/docs/17/explicit-locking.html#TABLE-LOCK-COMPATIBILITY: what each mode keeps waiting. */
const CONFLICTS: Readonly<Record<LockMode, readonly LockMode[]>> = {
  AccessShareLock: ['AccessExclusiveLock'],
  RowShareLock: ['ExclusiveLock', 'AccessExclusiveLock'],
  RowExclusiveLock: ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareUpdateExclusiveLock: LOCK_MODES.slice(3),
  ShareLock: LOCK_MODES.slice(2).filter((mode) => mode !== 'ShareLock'),
  ShareRowExclusiveLock: LOCK_MODES.slice(2),
  ExclusiveLock: LOCK_MODES.slice(1),
  AccessExclusiveLock: LOCK_MODES,
};

function isLockMode(mode: string): mode is LockMode {
  return (LOCK_MODES as readonly string[]).includes(mode);
}

/** Whether a session that wants one waits for one that holds the other. */
export function conflicts(one: string, other: string): boolean {
  return isLockMode(one) && isLockMode(other) && CONFLICTS[one].includes(other);
}

/** Which statements of others wait while a lock is held; undefined where no reader or writer does. */
export function waits(mode: string): 'reads and writes' | 'writes' | undefined {
  if (mode === 'AccessExclusiveLock') return 'reads and writes';
  return conflicts(mode, 'RowExclusiveLock') ? 'writes' : undefined;
}

/** `AccessExclusiveLock` as SQL writes it: `ACCESS EXCLUSIVE`. */
export function lockName(mode: string): string {
  return mode
    .replace(/Lock$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}
