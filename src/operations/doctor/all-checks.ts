import { ARCHIVE_CHECKS } from './archive-checks.js';
import { BACKUP_CHECKS } from './backup-checks.js';
import type { Check } from './check.js';
import { INDEX_CHECKS } from './index-checks.js';
import { LEAK_CHECKS } from './leak-checks.js';
import { MIGRATION_CHECKS } from './migration-checks.js';
import { PARTITION_CHECKS } from './partition-checks.js';
import { PASSWORD_CHECKS } from './password-checks.js';
import { POLICY_COST_CHECKS } from './policy-cost-checks.js';
import { REDIS_CHECKS } from './redis-checks.js';
import { REPLICATION_CHECKS } from './replication-checks.js';
import { ROLE_CHECKS } from './role-checks.js';
import { ROW_SECURITY_CHECKS } from './row-security-checks.js';
import { SEQUENCE_CHECKS } from './sequence-checks.js';
import { SETTING_CHECKS } from './setting-checks.js';
import { VECTOR_CHECKS } from './vector-checks.js';
import { WRAPAROUND_CHECKS } from './wraparound-checks.js';

/** Every check, in the order in which they run. */
export const ALL_CHECKS: readonly Check[] = [
  ...ROW_SECURITY_CHECKS,
  ...ROLE_CHECKS,
  ...LEAK_CHECKS,
  ...POLICY_COST_CHECKS,
  ...PASSWORD_CHECKS,
  ...PARTITION_CHECKS,
  ...ARCHIVE_CHECKS,
  ...MIGRATION_CHECKS,
  ...INDEX_CHECKS,
  ...VECTOR_CHECKS,
  ...WRAPAROUND_CHECKS,
  ...REPLICATION_CHECKS,
  ...SEQUENCE_CHECKS,
  ...SETTING_CHECKS,
  ...BACKUP_CHECKS,
  ...REDIS_CHECKS,
];
