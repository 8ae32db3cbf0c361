import { ARCHIVE_CHECKS } from './checks/archive-checks.js';
import { BACKUP_CHECKS } from './checks/backup-checks.js';
import type { Check } from './check.js';
import { CITUS_CHECKS } from './checks/citus-checks.js';
import { INDEX_CHECKS } from './checks/index-checks.js';
import { INTEGRITY_CHECKS } from './checks/integrity-checks.js';
import { KEY_CHECKS } from './checks/key-checks.js';
import { LARGE_OBJECT_CHECKS } from './checks/security/large-object-checks.js';
import { LEAK_CHECKS } from './checks/security/leak-checks.js';
import { MIGRATION_CHECKS } from './checks/migration-checks.js';
import { PARTITION_CHECKS } from './checks/partition-checks.js';
import { PASSWORD_CHECKS } from './checks/security/password-checks.js';
import { POLICY_COST_CHECKS } from './checks/security/policy-cost-checks.js';
import { REDIS_CHECKS } from './checks/redis-checks.js';
import { ROLE_CHECKS } from './checks/security/role-checks.js';
import { ROW_SECURITY_CHECKS } from './checks/security/row-security-checks.js';
import { SEQUENCE_CHECKS } from './checks/sequence-checks.js';
import { SETTING_CHECKS } from './checks/setting-checks.js';
import { VACUUM_CHECKS } from './checks/vacuum-checks.js';
import { VECTOR_CHECKS } from './checks/vector-checks.js';
import { VERSION_CHECKS } from './checks/version-checks.js';
import { onServer } from './checks/server-only.js';
import { LIVE_CHECKS } from '../monitor/checks.js';

/** What `monitor`, its exports and doctor look at alike. */
const LIVE_DOCTOR_CHECKS = LIVE_CHECKS.map(({ look, ...check }): Check => ({
  ...check,
  examine: onServer(async (subject) => {
    const looked = await look(subject);
    return 'faults' in looked ? looked.faults.filter((fault) => fault !== undefined) : looked;
  }),
}));

/** Every check, in the order in which they run. */
export const ALL_CHECKS: readonly Check[] = [
  ...LIVE_DOCTOR_CHECKS,
  ...VACUUM_CHECKS,
  ...ROW_SECURITY_CHECKS,
  ...ROLE_CHECKS,
  ...LEAK_CHECKS,
  ...LARGE_OBJECT_CHECKS,
  ...POLICY_COST_CHECKS,
  ...PASSWORD_CHECKS,
  ...PARTITION_CHECKS,
  ...KEY_CHECKS,
  ...ARCHIVE_CHECKS,
  ...MIGRATION_CHECKS,
  ...INTEGRITY_CHECKS,
  ...INDEX_CHECKS,
  ...VECTOR_CHECKS,
  ...SEQUENCE_CHECKS,
  ...SETTING_CHECKS,
  ...VERSION_CHECKS,
  ...CITUS_CHECKS,
  ...BACKUP_CHECKS,
  ...REDIS_CHECKS,
];
