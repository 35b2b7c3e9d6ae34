import { RefusedError } from '../errors/index.js';
import { type Database, literal } from './database.js';

/** Asks the database whether it can read a regular expression. @throws RefusedError `spec-invalid` */
export async function requirePattern(database: Database, pattern: string): Promise<void> {
  try {
    await database.rows(`SELECT regexp_matches('', ${literal(pattern)})`);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new RefusedError('spec-invalid', `expected an RE2 pattern, got ${reason}: ${pattern}`);
  }
}
