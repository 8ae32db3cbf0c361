// What services do for a person, beside the commands: export and erase.
export { eraseUser, type UserEraseOptions, type UserEraseResult } from './erase.js';
export type { EmptiedCaches, ErasedTable, ErasureCertificate, Holder } from './erase/certificate.js';
export type { SharedRule } from './erase/plan.js';
export type { ScanHit } from './erase/scan.js';
export { exportUser, type UserExportOptions, type UserExportResult } from './export.js';
export type { ExportedFileMonth, ExportedRows } from './export/manifest.js';
