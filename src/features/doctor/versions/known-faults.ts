/** When the lists below were last compared with what their sources say. A release whose list is older than 90 days is not made. */
export const AS_OF = '2026-11-29';

export interface KnownFault {
  /** A CVE, or the version whose notes name the fault. */
  readonly name: string;
  /** What may happen: the end of a sentence. */
  readonly text: string;
  /** By series (`17`, `8.1`), the first version of it without the fault. A newer series than all of these never had it. */
  readonly fixedIn: Readonly<Record<string, string>>;
  /** The first version with the fault; absent: not known, or all. */
  readonly since?: string;
  readonly severity: 'critical' | 'warning' | 'notice';
  /** Of pgvector: the kind of index that it concerns. */
  readonly indexKind?: 'hnsw' | 'ivfflat';
  /** Where this was read. */
  readonly source: string;
}

const CVE = 'https://raw.githubusercontent.com/CVEProject/cvelistV5/main/cves/2026';

/** Newest first: one for each minor release that fixes a fault by which a role of the database may take over the server. */
export const POSTGRESQL_FAULTS: readonly KnownFault[] = [
  {
    name: 'CVE-2026-6460',
    text: 'a role that may create objects runs any code as the user of the server (47 CVEs in that release)',
    fixedIn: { 16: '16.16', 17: '17.12', 18: '18.7' },
    severity: 'critical',
    source: 'https://suse.com/security/cve/CVE-2026-6460',
  },
  {
    name: 'CVE-2026-14680',
    text: 'any role runs any code as the user of the server (28 CVEs in that release)',
    fixedIn: { 16: '16.15', 17: '17.11', 18: '18.6' },
    severity: 'critical',
    source: `${CVE}/14xxx/CVE-2026-14680.json`,
  },
  {
    name: 'CVE-2026-6473',
    text: 'any role writes beyond an allocation, which may run any code (11 CVEs in that release)',
    fixedIn: { 16: '16.14', 17: '17.10', 18: '18.4' },
    severity: 'critical',
    source: `${CVE}/6xxx/CVE-2026-6473.json`,
  },
  {
    name: 'CVE-2026-2005',
    text: 'a text given to pgcrypto for decryption runs any code (5 CVEs in that release)',
    fixedIn: { 16: '16.12', 17: '17.8', 18: '18.2' },
    severity: 'critical',
    source: 'https://github.com/supabase/postgres/issues/2083',
  },
  {
    name: 'CVE-2025-8715',
    text: 'a name with a line break runs any code where a dump is restored with psql',
    fixedIn: { 16: '16.10', 17: '17.6' },
    severity: 'warning',
    source: 'https://www.postgresql.org/about/news/postgresql-176-1610-1514-1419-1322-and-18-beta-3-released-3118/',
  },
];

const CHANGES = 'https://raw.githubusercontent.com/pgvector/pgvector/master/CHANGELOG.md';

export const PGVECTOR_FAULTS: readonly KnownFault[] = [
  {
    name: 'CVE-2026-3172',
    text: 'a parallel build of the index leaks rows of other tables or crashes the server',
    since: '0.6.0',
    fixedIn: { 0: '0.8.2' },
    severity: 'warning',
    indexKind: 'hnsw',
    source: `${CVE}/3xxx/CVE-2026-3172.json`,
  },
  {
    name: 'fixed in 0.8.3',
    text: 'vacuum may corrupt the index',
    fixedIn: { 0: '0.8.3' },
    severity: 'warning',
    indexKind: 'hnsw',
    source: CHANGES,
  },
  {
    name: 'fixed in 0.8.4',
    text: 'vacuum fails ("hnsw graph not repaired"), and so may inserts meanwhile',
    fixedIn: { 0: '0.8.4' },
    severity: 'warning',
    indexKind: 'hnsw',
    source: CHANGES,
  },
  {
    name: 'fixed in 0.8.4',
    text: 'a build of the index takes more memory than maintenance_work_mem',
    fixedIn: { 0: '0.8.4' },
    severity: 'notice',
    indexKind: 'ivfflat',
    source: CHANGES,
  },
  {
    name: 'fixed in 0.8.7',
    text: 'a build of the index writes beyond a buffer',
    fixedIn: { 0: '0.8.7' },
    severity: 'notice',
    indexKind: 'ivfflat',
    source: 'https://github.com/pgvector/pgvector/issues/1036',
  },
];

export const REDIS_FAULTS: readonly KnownFault[] = [
  {
    name: 'CVE-2026-81934',
    text: 'where TLS is on, a client that reaches the port may run commands of the server',
    fixedIn: {
      '6.2': '6.2.24',
      '7.2': '7.2.16',
      '7.4': '7.4.11',
      '8.2': '8.2.9',
      '8.4': '8.4.6',
      '8.6': '8.6.6',
      '8.8': '8.8.2',
      '8.10': '8.10.1',
    },
    severity: 'notice',
    source: `${CVE}/81xxx/CVE-2026-81934.json`,
  },
  {
    name: 'CVE-2025-49844',
    text: 'a user who may run EVAL runs any code',
    fixedIn: { '6.2': '6.2.20', '7.2': '7.2.11', '7.4': '7.4.6', '8.2': '8.2.2' },
    severity: 'notice',
    source: 'https://raw.githubusercontent.com/CVEProject/cvelistV5/main/cves/2025/49xxx/CVE-2025-49844.json',
  },
];

export const VALKEY_FAULTS: readonly KnownFault[] = [
  {
    name: 'CVE-2026-56684',
    text: 'where TLS is on, a user who may run CLIENT KILL may run any code',
    fixedIn: { '8.1': '8.1.9', '9.1': '9.1.1' },
    severity: 'notice',
    source: 'https://github.com/valkey-io/valkey/releases/tag/8.1.9',
  },
  {
    name: 'CVE-2026-21863',
    text: 'in a cluster, a program that reaches its bus port can end the server',
    fixedIn: { '7.2': '7.2.12', '8.0': '8.0.7', '8.1': '8.1.6', '9.0': '9.0.2' },
    severity: 'notice',
    source: 'https://www.sentinelone.com/vulnerability-database/cve-2026-21863',
  },
];
