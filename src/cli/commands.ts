import type { CommandSpec } from './command.js';
import { archive } from './commands/archive/archive.js';
import { archiveExport } from './commands/archive/export.js';
import { archiveImport } from './commands/archive/import.js';
import { archiveList } from './commands/archive/list.js';
import { archivePrune } from './commands/archive/prune.js';
import { archiveRestore } from './commands/archive/restore.js';
import { backup } from './commands/backup/backup.js';
import { backupCheck } from './commands/backup/check.js';
import { backupDrill } from './commands/backup/drill.js';
import { backupList } from './commands/backup/list.js';
import { backupPin } from './commands/backup/pin.js';
import { backupPrune } from './commands/backup/prune.js';
import { backupUpload } from './commands/backup/upload.js';
import { backupVerify } from './commands/backup/verify.js';
import { cacheCheck } from './commands/cache/check.js';
import { cacheFlush } from './commands/cache/flush.js';
import { cacheStatusCommand } from './commands/cache/status.js';
import { cacheSync } from './commands/cache/sync.js';
import { cacheWarm } from './commands/cache/warm.js';
import { completionBash } from './commands/completion/bash.js';
import { completionFish } from './commands/completion/fish.js';
import { completionZsh } from './commands/completion/zsh.js';
import { dbStart } from './commands/db/start.js';
import { doctor } from './commands/doctor/doctor.js';
import { migrateAdopt } from './commands/migrate/adopt.js';
import { migrateBaseline } from './commands/migrate/baseline.js';
import { migrateCheck } from './commands/migrate/check.js';
import { migrateDiagram } from './commands/migrate/diagram.js';
import { migrateDown } from './commands/migrate/down.js';
import { migrateDrift } from './commands/migrate/drift.js';
import { migrateLint } from './commands/migrate/lint/lint.js';
import { migrateNew } from './commands/migrate/new.js';
import { migrateRedo } from './commands/migrate/redo.js';
import { migrateRehearse } from './commands/migrate/rehearse.js';
import { migrateRepair } from './commands/migrate/repair.js';
import { migrateStatus } from './commands/migrate/status.js';
import { migrateTest } from './commands/migrate/test.js';
import { migrateUp } from './commands/migrate/up.js';
import { migrateVerify } from './commands/migrate/verify.js';
import { monitorActivityCommand } from './commands/monitor/activity.js';
import { monitorExport } from './commands/monitor/export.js';
import { monitorGrowthCommand } from './commands/monitor/growth.js';
import { monitorIndexesCommand } from './commands/monitor/indexes.js';
import { monitorLocksCommand } from './commands/monitor/locks.js';
import { monitor } from './commands/monitor/overview.js';
import { monitorPartitionsCommand } from './commands/monitor/partitions.js';
import { monitorQueriesCommand } from './commands/monitor/queries.js';
import { monitorRecord } from './commands/monitor/record.js';
import { monitorReport } from './commands/monitor/page/report.js';
import { monitorServe } from './commands/monitor/page/serve.js';
import { monitorTablesCommand } from './commands/monitor/tables.js';
import { monitorTenantsCommand } from './commands/monitor/tenants.js';
import { monitorVacuumCommand } from './commands/monitor/vacuum.js';
import { partitionsCheck } from './commands/partitions/check.js';
import { partitionsRebuildKeys } from './commands/partitions/rebuild-keys.js';
import { partitionsEnsure } from './commands/partitions/ensure.js';
import { partitionsList } from './commands/partitions/list.js';
import { restore } from './commands/restore/restore.js';
import { tenantRestore } from './commands/restore/tenant.js';
import { scheduleCrontab } from './commands/schedule/crontab.js';
import { scheduleKubernetes } from './commands/schedule/kubernetes.js';
import { scheduleSystemd } from './commands/schedule/systemd.js';
import { seedDemo } from './commands/seed/demo.js';
import { seedList } from './commands/seed/list.js';
import { seed } from './commands/seed/seed.js';
import { subset } from './commands/subset/subset.js';
import { typesCheck } from './commands/types/check.js';
import { typesGenerate } from './commands/types/generate.js';
import { userErase } from './commands/user/erase.js';
import { tenantDistribute } from './commands/tenant/distribute.js';
import { tenantUndistribute } from './commands/tenant/undistribute.js';
import { userExport } from './commands/user/export.js';
import { vectorCheck } from './commands/vector/check.js';
import { vectorRebuild } from './commands/vector/rebuild.js';
import { vectorStatusCommand } from './commands/vector/status.js';
import { vectorTune } from './commands/vector/tune.js';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  migrateUp,
  migrateDown,
  migrateRedo,
  migrateStatus,
  migrateCheck,
  migrateNew,
  migrateLint,
  migrateVerify,
  migrateDrift,
  migrateBaseline,
  migrateAdopt,
  migrateTest,
  migrateRehearse,
  migrateRepair,
  migrateDiagram,
  seed,
  seedList,
  seedDemo,
  partitionsEnsure,
  partitionsList,
  partitionsCheck,
  partitionsRebuildKeys,
  archive,
  archiveImport,
  archiveList,
  archiveRestore,
  archiveExport,
  archivePrune,
  backup,
  backupList,
  backupVerify,
  backupPrune,
  backupPin,
  backupUpload,
  backupDrill,
  backupCheck,
  restore,
  subset,
  dbStart,
  userExport,
  userErase,
  typesGenerate,
  typesCheck,
  monitor,
  monitorTablesCommand,
  monitorPartitionsCommand,
  monitorIndexesCommand,
  monitorActivityCommand,
  monitorLocksCommand,
  monitorQueriesCommand,
  monitorVacuumCommand,
  monitorGrowthCommand,
  monitorTenantsCommand,
  monitorRecord,
  monitorReport,
  monitorServe,
  monitorExport,
  vectorStatusCommand,
  tenantDistribute,
  tenantUndistribute,
  tenantRestore,
  vectorCheck,
  vectorRebuild,
  vectorTune,
  cacheStatusCommand,
  cacheCheck,
  cacheWarm,
  cacheFlush,
  cacheSync,
  doctor,
  scheduleCrontab,
  scheduleSystemd,
  scheduleKubernetes,
  completionBash,
  completionZsh,
  completionFish,
];

/** What a noun is for, where it has no command of its own name. */
export const NOUNS: Readonly<Record<string, string>> = {
  migrate: 'bring the schema up to date or back, and show its state',
  db: 'serve the embedded database while developing',
  cache: 'look at, fill, empty and check the Redis cache of the read-mostly tables',
  vector: 'measure, rebuild and tune the vector index of knowledge_base',
  partitions: 'make the months of messages ahead of time and check them',
  schedule: 'print the jobs that have to run, for cron, systemd or Kubernetes',
  completion: 'print the script with which a shell completes aisec',
  tenant: 'move a tenant to a worker of Citus and back, and restore one',
  user: 'export and erase the data of one person',
  types: 'write the TypeScript types of the schema and check them',
};
