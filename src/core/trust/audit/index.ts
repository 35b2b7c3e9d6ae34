export { cosign, cosignedAt, type Witness } from './cosignature.js';
export { type AuditEntry, auditEntrySchema } from './entry.js';
export { appendDecision, type LoggedEntry, readLog } from './log.js';
export { formatNote, parseNote } from './note.js';
export { entryOfStatement } from './of-statement.js';
export { proofHolds, proveEntry } from './proof.js';
export { tilesOf } from './tiles.js';
export { type KnownOfLog, type LogFailure, type LogVerification, verifyLog } from './verify-log.js';
export { witnessLog } from './witness.js';
