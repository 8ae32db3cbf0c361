// What is known of the backups, for other features.
export { listBackups, type BackupList } from './list.js';
