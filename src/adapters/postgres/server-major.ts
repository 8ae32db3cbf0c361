import type { Session } from './session.js';

/** `17` of a session on PostgreSQL 17.12. */
export function serverMajor({ info }: Pick<Session, 'info'>): number {
  return Math.floor(info.serverVersion / 10_000);
}
