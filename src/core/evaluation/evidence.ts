import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { attacksThroughParent, digestSchema } from '../spec/index.js';
import { canonicalJson } from '../store/index.js';
import type { EvidenceRow, Measurement } from './gate.js';
import type { GateInputs } from './run-key.js';

const headerSchema = z.strictObject({
  version: z.literal(1),
  /** The gate's specification as it was run. */
  gate: z.unknown(),
  policy: digestSchema,
  model: digestSchema,
  snapshot: digestSchema,
  /** Blob of the parent that the model was attacked through; null where none is known, absent where none was asked for. */
  parent: digestSchema.nullable().optional(),
  runKey: z.strictObject({ derivation: z.string(), value: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** Test samples there were to draw from. */
  available: z.int().min(0),
  classes: z.array(z.union([z.string(), z.int()])).min(1),
  /** What computed the rows. */
  environment: z.record(z.string(), z.unknown()),
  /** Why the gate could not do all of its work. */
  obstacle: z.string().min(1).optional(),
  /** Tree of adversarial examples: of the first samples that were broken, in the order drawn. */
  examples: digestSchema.optional(),
});

/** The first line of evidence: what was evaluated, against what, how the samples were drawn, and where. */
export type EvidenceHeader = z.infer<typeof headerSchema>;

/** What a header says of the parent. */
export function parentEntry({ gate, parent }: GateInputs): Pick<EvidenceHeader, 'parent'> {
  return attacksThroughParent(gate) ? { parent: parent ?? null } : {};
}

/**
 * Evidence as JSON Lines: the header, then one row a sample, sorted by id (UTF-16 code units). Every line is canonical
 * JSON (RFC 8785), so equal results are equal bytes.
 */
export function encodeEvidence(header: EvidenceHeader, rows: readonly EvidenceRow[]): Uint8Array {
  const sorted = [...rows].sort((one, other) => (one.id < other.id ? -1 : 1));
  return new TextEncoder().encode([header, ...sorted].map((line) => `${canonicalJson(line)}\n`).join(''));
}

/**
 * Reads evidence, believing nothing.
 *
 * @param rowSchema - of the gate that it is evidence for
 * @throws RefusedError `verdict-forged` when it is not such evidence, or names a sample twice
 */
export function decodeEvidence<Row extends EvidenceRow>(
  bytes: Uint8Array,
  rowSchema: z.ZodType<Row>,
): { readonly header: EvidenceHeader } & Measurement<Row> {
  const lines = new TextDecoder().decode(bytes).split('\n');
  if (lines.pop() !== '') throw unreadable(lines.length + 1, 'expected every line to end');
  const header = parseLine(headerSchema, lines[0] ?? '', 1);
  const rows = lines.slice(1).map((line, i) => parseLine(rowSchema, line, i + 2));
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    if (before && !(before.id < row.id)) {
      throw unreadable(i + 2, `expected an id after ${before.id}, each once, got ${row.id}`);
    }
  });
  return { header, rows, ...(header.obstacle === undefined ? {} : { obstacle: header.obstacle }) };
}

function parseLine<T>(schema: z.ZodType<T>, line: string, number: number): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw unreadable(number, 'expected JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(number, `${issue?.path.join('.') || 'row'}: ${issue?.message}`);
  }
  return parsed.data;
}

function unreadable(line: number, problem: string): RefusedError {
  return new RefusedError('verdict-forged', `Line ${line} of the evidence: ${problem}.`);
}
