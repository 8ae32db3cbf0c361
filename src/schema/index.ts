// The types of the schema. No code: importing aisec/schema loads nothing.
export type * from './column-types.js';
export type * from './database.js';
