/** For AISEC_THRESHOLDS: other tests use the same server, so that sessions may wait, idle and fill it. */
export const BUSY_SERVER =
  'blocked-time=1d:2d,blocked-sessions=900:900,idle-transaction=1d:2d,transaction=1d:2d,prepared-transaction=1d:2d,' +
  'horizon-time=1d:2d,horizon-ids=1000000000:2000000000,connections=100:100,temporary-bytes=1TB:1TB,lock-table=100:100';
