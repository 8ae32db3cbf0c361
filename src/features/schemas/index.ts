export { findSchemas, type FoundSchemas } from './find.js';
