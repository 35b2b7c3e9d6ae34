export { type GiveUp, RefusedError, TransientError } from './errors.js';
export { type ErrorCode, type ErrorEntry, errorTable } from './table.js';
