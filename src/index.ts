export { AisecError, ERROR_TITLES, type ErrorCode } from './base/errors.js';
