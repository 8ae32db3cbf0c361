export * from './columns.js';
export * from './tables.js';
