export { readCitus, readNodes, refuseWithoutCitus, LOGIN_FOR_NODES, type CitusFacts, type CitusNode } from './citus.js';
export { distributeTenant, distributeTenantAlone } from './distribute.js';
export type { MovedTenant } from './move.js';
export type { MovedTable } from './rows.js';
export { awaitedNote, readTenantPlace, takeBackEmpty, type TenantPlace } from './new-tenant.js';
export type { Session as TenantSession } from '../../adapters/postgres/session.js';
// What other features ask of a schema, without what moves one.
export { isDistributed, sizesOfTenant, sizesOnNode, type SizeOnNode } from './sizes.js';
