export { LOGIN_FOR_NODES, nodeOf, readCitus, readNodes, type CitusFacts, type CitusNode } from './citus.js';
export { tryAsUser } from './try-as-user.js';
