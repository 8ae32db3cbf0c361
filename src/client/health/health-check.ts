/** As in https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check */
export type HealthStatus = 'pass' | 'warn' | 'fail';

export interface HealthCheck {
  /** `database`, `cache`, `redis`, or `replica host:port`. */
  readonly name: string;
  readonly status: HealthStatus;
  readonly durationMs?: number;
  /** Of a replica: the write-ahead log that it has not replayed. */
  readonly lagBytes?: number;
  /** Of a replica: how long ago was committed what it replayed last; 0 when it lacks nothing. */
  readonly lagMs?: number;
  /** What is wrong. It may name the server and the role; it never has a password. */
  readonly message?: string;
  readonly hint?: string;
}
