import type { Rule } from './rule.js';
import { addColumnNotNull } from './rules/columns/add-column-not-null.js';
import { charColumn, jsonColumn, timestampWithoutTimeZone } from './rules/columns/data-types.js';
import { generatedColumn } from './rules/columns/generated-column.js';
import { typeChange } from './rules/columns/type-change.js';
import { volatileDefault } from './rules/columns/volatile-default.js';
import { checkNotValid } from './rules/constraints/check-not-valid.js';
import { excludeConstraint } from './rules/constraints/exclude-constraint.js';
import { foreignKeyNotValid } from './rules/constraints/foreign-key-not-valid.js';
import { setNotNull } from './rules/constraints/set-not-null.js';
import {
  foreignKeyTypes,
  foreignKeyWithoutIndex,
  invalidPartitionedIndex,
  primaryKeyMissing,
  redundantIndex,
} from './rules/constraints/state.js';
import { uniqueWithoutIndex } from './rules/constraints/unique-without-index.js';
import { validateInSameTransaction } from './rules/constraints/validate-in-same-transaction.js';
import { branchesConflict } from './rules/failures/branches-conflict.js';
import { newEnumValue, statementFails, usedColumnType } from './rules/failures/failures.js';
import { rowsViolate } from './rules/failures/rows-violate.js';
import { concurrentIfNotExists } from './rules/indexes/concurrent-if-not-exists.js';
import { dropIndexNotConcurrent } from './rules/indexes/drop-index-not-concurrent.js';
import { indexNotConcurrent } from './rules/indexes/index-not-concurrent.js';
import { reindexNotConcurrent } from './rules/indexes/reindex-not-concurrent.js';
import { vectorIndexMemory, vectorIndexParallel } from './rules/indexes/vector-build.js';
import { vectorIndex } from './rules/indexes/vector-index.js';
import { workAfterLock } from './rules/locks/after-lock.js';
import { attachPartition } from './rules/locks/attach-partition.js';
import { partitionMerge } from './rules/locks/partition-merge.js';
import { refreshView, replicaIdentity, storageChange, vacuumFull } from './rules/locks/rewriting-commands.js';
import { severalAlters } from './rules/locks/several-alters.js';
import { triggerDisabled } from './rules/locks/triggers.js';
import { wideLock } from './rules/locks/wide-lock.js';
import {
  archiveDiffers,
  cacheTriggers,
  erasureBlocked,
  foreignKeyToMessages,
  lockOrder,
} from './rules/messages/messages.js';
import { releasedSchema } from './rules/messages/released-schema.js';
import { commentMissing } from './rules/names/comment-missing.js';
import { indexName, longIdentifier, partitionedIndexName, qualifiedName } from './rules/names/names.js';
import { crowdedTable, domainConstraint, enumType, extensionInSchema } from './rules/names/optional.js';
import { piiClassMissing } from './rules/names/pii-class-missing.js';
import { dropCascade, truncate } from './rules/removal/cascade.js';
import { drop } from './rules/removal/drop.js';
import { rename } from './rules/removal/rename.js';
import { duplicateAssignment, writeWithoutWhere } from './rules/removal/rows.js';
import {
  definerForPublic,
  definerSearchPath,
  policyCallPerRow,
  settingLeaks,
  viewReplacedByDrop,
  viewSecurityInvoker,
} from './rules/security/code.js';
import {
  grantOnPartition,
  policyAlwaysTrue,
  rowSecurityMissing,
  rowSecurityWithoutPolicy,
  secretGranted,
} from './rules/security/tables.js';
import { UNUSED_IGNORE } from './rules/unused-ignore.js';

/** Every rule, by area; docs/lint.md lists them in this order. */
export const RULES_BY_AREA: Readonly<Record<string, readonly Rule[]>> = {
  Indexes: [
    indexNotConcurrent,
    dropIndexNotConcurrent,
    reindexNotConcurrent,
    concurrentIfNotExists,
    invalidPartitionedIndex,
    redundantIndex,
    vectorIndex,
    vectorIndexMemory,
    vectorIndexParallel,
  ],
  Constraints: [
    foreignKeyNotValid,
    checkNotValid,
    validateInSameTransaction,
    uniqueWithoutIndex,
    excludeConstraint,
    setNotNull,
    primaryKeyMissing,
    foreignKeyWithoutIndex,
    foreignKeyTypes,
  ],
  Columns: [
    addColumnNotNull,
    volatileDefault,
    generatedColumn,
    typeChange,
    usedColumnType,
    jsonColumn,
    charColumn,
    timestampWithoutTimeZone,
  ],
  'Lost data and names': [drop, dropCascade, truncate, rename, writeWithoutWhere, duplicateAssignment],
  Locks: [
    workAfterLock,
    wideLock,
    severalAlters,
    attachPartition,
    partitionMerge,
    vacuumFull,
    refreshView,
    storageChange,
    replicaIdentity,
    triggerDisabled,
  ],
  Security: [
    rowSecurityMissing,
    rowSecurityWithoutPolicy,
    policyAlwaysTrue,
    policyCallPerRow,
    grantOnPartition,
    secretGranted,
    viewSecurityInvoker,
    viewReplacedByDrop,
    definerSearchPath,
    definerForPublic,
    settingLeaks,
  ],
  'The bundled schema': [
    archiveDiffers,
    foreignKeyToMessages,
    lockOrder,
    cacheTriggers,
    erasureBlocked,
    releasedSchema,
  ],
  Names: [longIdentifier, partitionedIndexName, qualifiedName, indexName, commentMissing, piiClassMissing],
  'What cannot run': [statementFails, newEnumValue, rowsViolate, branchesConflict],
  'Off unless named': [crowdedTable, extensionInSchema, enumType, domainConstraint],
  Comments: [UNUSED_IGNORE],
};

export const ALL_RULES: readonly Rule[] = Object.values(RULES_BY_AREA).flat();
