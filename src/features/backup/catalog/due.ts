/** A backup a day, which may take two hours longer than the last one. */
export const BACKUP_DUE_AFTER_HOURS = 26;

export const BACKUP_DUE_AFTER_MS = BACKUP_DUE_AFTER_HOURS * 3_600_000;
