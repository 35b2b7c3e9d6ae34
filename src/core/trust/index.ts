export { type StatementRole, statementRoles, type TrustPolicy, trustPolicySchema } from './policy.js';
export type { ChainLink, Verification, VerificationFailure, VerifiedRelease } from './verification.js';
