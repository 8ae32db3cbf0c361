export { sampleKeys, type KeySample } from './keys/sample-keys.js';
export {
  checkDefaultPartition,
  judgeLayout,
  readPartitionLayout,
  type FindingKind,
  type PartitionFinding,
  type PartitionLayout,
} from './partitions/checks.js';
export { readColumnDifferences, type ColumnDifference } from './archive/column-differences.js';
