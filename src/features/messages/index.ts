// What is known of the partitions of messages, for the reports of other features.
export { missingMonths } from './missing-months.js';
export { countMonthsAhead } from './months-ahead.js';
export { partitionState, type PartitionState } from './partition-state.js';
export { readPartitions, type PartitionSet, type Root } from './partition.js';
