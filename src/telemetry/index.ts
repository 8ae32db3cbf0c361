export { instrumentDatabase, type InstrumentOptions } from './instrument-database.js';
