import { z } from 'zod';
import type { TableColumn } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import { gateSchema } from '../spec/index.js';
import { decodeEvidence } from './evidence.js';
import { withGate } from './registry.js';

const aboutGateSchema = z.object({ gate: gateSchema });

/**
 * Evidence as a table for people to query. What is signed and checked stays the JSON Lines: verifiers read no Parquet.
 *
 * @param bytes - evidence of any gate
 * @throws RefusedError `verdict-forged` when it is no evidence
 */
export function evidenceTable(bytes: Uint8Array): readonly TableColumn[] {
  const [first = ''] = new TextDecoder().decode(bytes).split('\n', 1);
  let about: unknown;
  try {
    about = JSON.parse(first);
  } catch {
    about = undefined;
  }
  const parsed = aboutGateSchema.safeParse(about);
  if (!parsed.success) {
    throw new RefusedError('verdict-forged', 'expected evidence of a gate, got something else');
  }
  return withGate(parsed.data.gate, (gate) => gate.columns(decodeEvidence(bytes, gate.rowSchema).rows));
}
