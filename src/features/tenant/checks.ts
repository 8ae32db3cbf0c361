export { LOGIN_FOR_NODES, nodeOf, readCitus, type CitusFacts } from './citus.js';
export { readNodes, type CitusNode } from './nodes.js';
export { tryAsUser } from './try-as-user.js';
