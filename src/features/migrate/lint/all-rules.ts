import { UNUSED_IGNORE } from './apply-ignores.js';
import type { Rule } from './rule.js';
import { addColumnNotNull, generatedColumn, volatileDefault } from './rules/columns/added-columns.js';
import { charColumn, jsonColumn, timestampWithoutTimeZone } from './rules/columns/data-types.js';
import { typeChange } from './rules/columns/type-change.js';
import {
  checkNotValid,
  excludeConstraint,
  foreignKeyNotValid,
  uniqueWithoutIndex,
} from './rules/constraints/added-constraints.js';
import { setNotNull } from './rules/constraints/set-not-null.js';
import {
  foreignKeyTypes,
  foreignKeyWithoutIndex,
  invalidPartitionedIndex,
  primaryKeyMissing,
  redundantIndex,
} from './rules/constraints/state.js';
import { validateInSameTransaction } from './rules/constraints/validate-in-same-transaction.js';
import { branchesConflict } from './rules/failures/branches-conflict.js';
import { newEnumValue, rowsViolate, statementFails, usedColumnType } from './rules/failures/failures.js';
import {
  concurrentIfNotExists,
  dropIndexNotConcurrent,
  indexNotConcurrent,
  reindexNotConcurrent,
} from './rules/indexes/concurrently.js';
import { vectorIndex, vectorIndexMemory, vectorIndexParallel } from './rules/indexes/vector.js';
import { severalAlters, wideLock, workAfterLock } from './rules/locks/transactions.js';
import { attachPartition, partitionMerge } from './rules/locks/partitions.js';
import { refreshView, replicaIdentity, storageChange, vacuumFull } from './rules/locks/rewriting-commands.js';
import { triggerDisabled } from './rules/locks/triggers.js';
import {
  archiveDiffers,
  cacheTriggers,
  erasureBlocked,
  foreignKeyToMessages,
  lockOrder,
} from './rules/messages/messages.js';
import { releasedSchema } from './rules/messages/released-schema.js';
import { commentMissing, piiClassMissing } from './rules/names/comments.js';
import { indexName, longIdentifier, partitionedIndexName, qualifiedName } from './rules/names/names.js';
import { crowdedTable, domainConstraint, enumType, extensionInSchema } from './rules/names/optional.js';
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
