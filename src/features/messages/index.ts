// What is known of the partitions of messages, for the reports of other features, and what adopting a database needs.
export { ensurePartitions, type EnsureResult } from './partitions/ensure.js';
export { rebuildKeys } from './keys/rebuild-keys.js';
export { missingMonths } from './missing-months.js';
export { countMonthsAhead } from './months-ahead.js';
export { partitionState, type PartitionState } from './partition-state.js';
export { coversAnyOf, monthsOfRows, qualifiedName, readPartitions, type PartitionSet, type Root } from './partition.js';
export { platformReferences } from './references.js';
export { exportedMonths, readExportedMessages, type ExportedMonth } from './exported-months.js';
export { schemaVersion } from './schema-version.js';
