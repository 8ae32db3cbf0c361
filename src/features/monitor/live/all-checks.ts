import { TRANSACTION_IDS } from './ages.js';
import { ARCHIVER, WAL_WAITING } from './disk/archiver.js';
import { BLOCKED } from './blocked.js';
import type { LiveCheck } from './check.js';
import { CONNECTIONS } from './connections.js';
import { CHECKSUMS, TEMPORARY_FILES } from './counters.js';
import { DISK } from './disk/disk.js';
import { HELD_BACK } from './holders.js';
import { LOCK_TABLE } from './lock-table.js';
import { REPLICAS, STANDBY } from './replicas.js';
import { SLOTS } from './disk/slots.js';
import { SUBSCRIPTIONS } from './subscriptions.js';
import { LONG_TRANSACTIONS, PREPARED_TRANSACTIONS } from './transactions.js';
import { WAL_SIZE } from './disk/wal-size.js';
import { AUTOVACUUM_OFF, DEAD_ROWS, FREEZE, NEVER_ANALYZED, WORKERS } from './vacuum.js';

/** All that may stop a server now, in the order in which it is looked at. */
export const LIVE_CHECKS: readonly LiveCheck[] = [
  BLOCKED,
  LONG_TRANSACTIONS,
  PREPARED_TRANSACTIONS,
  CONNECTIONS,
  LOCK_TABLE,
  TEMPORARY_FILES,
  DISK,
  CHECKSUMS,
  TRANSACTION_IDS,
  HELD_BACK,
  DEAD_ROWS,
  FREEZE,
  AUTOVACUUM_OFF,
  NEVER_ANALYZED,
  WORKERS,
  REPLICAS,
  STANDBY,
  SUBSCRIPTIONS,
  SLOTS,
  WAL_SIZE,
  ARCHIVER,
  WAL_WAITING,
];
