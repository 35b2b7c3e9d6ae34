import { existsSync, readFileSync } from 'node:fs';
import { RefusedError } from '../core/errors/index.js';
import { readTrustPolicy, type TrustPolicy } from '../core/trust/index.js';

/** @throws RefusedError `key-missing`, `trust-policy-invalid` */
export function readTrustFile(file: string): TrustPolicy {
  if (!existsSync(file)) throw new RefusedError('key-missing', `There is no trust policy ${file}.`);
  return readTrustPolicy(readFileSync(file, 'utf8'));
}
