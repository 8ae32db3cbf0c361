export * from './columns.js';
export * from './further-columns.js';
export * from './tables.js';
