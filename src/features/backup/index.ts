// What is known of the backups, for other features.
export { listBackups, type BackupList } from './list.js';
// Who was erased, without personal data: what a restore compares with.
export { hashOfUser, ErasedUsers, type ErasureRecord, type RecordedSharedRule } from './erasures/erasure-record.js';
export type { EraseAgain, ErasedAgain, BlockedErasure } from './erasures/erased-again.js';
export { addToErasureList } from './erasures/list-file.js';
// A schema by itself, as pg_dump has it.
export { dumpSchema, loadArchive } from './server/schema-archive.js';
export { compareCatalogs } from './verify/compare-catalogs.js';
export type { ServerAccess } from './access.js';
export { readErasureRecords } from './erasures/read-erasures.js';
