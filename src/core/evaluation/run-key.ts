import { createHmac } from 'node:crypto';
import type { Digest, GateSpec } from '../spec/index.js';
import { canonicalJson, digestOfJson } from '../store/index.js';

/** What a gate is run on. */
export interface GateInputs {
  readonly gate: GateSpec;
  /** Tree of the model folder. */
  readonly model: Digest;
  /** Tree of the snapshot. */
  readonly snapshot: Digest;
  /**
   * Blob of the ONNX file that the model was fine-tuned from, or of the model that it would replace, for a gate that
   * attacks through it (`attacksThroughParent`). Which samples are drawn does not depend on it.
   */
  readonly parent?: Digest;
}

/** How {@link runKey} is made, for whoever reads the evidence. */
export const runKeyDerivation =
  'HMAC-SHA-256(key: "assay/evaluation/v1", message: RFC 8785 JSON of {model, policy, snapshot})';

/** Digest of what the gate demands: fixed before any sample is drawn. */
export function policyDigest(gate: GateSpec): Digest {
  return digestOfJson(gate);
}

/**
 * The key of all choices that a gate makes. It follows from the policy, the model and the data alone, so a retry chooses
 * alike, and it is unknown until the model is fixed, so a model cannot be trained for the samples it will meet.
 *
 * @returns 64 hex digits
 */
export function runKey({ gate, model, snapshot }: GateInputs): string {
  return createHmac('sha256', 'assay/evaluation/v1')
    .update(canonicalJson({ policy: policyDigest(gate), model, snapshot }))
    .digest('hex');
}

/** The seed of a run's random draws, in [0, 2³²). */
export function seedOf(key: string): number {
  return createHmac('sha256', Buffer.from(key, 'hex')).update('seed').digest().readUInt32LE(0);
}

/**
 * Chooses samples: the first `count` by the HMAC of their ids, whatever order they come in.
 *
 * @param ids - unique
 * @returns positions in `ids`, in the order drawn
 */
export function chooseSamples(key: string, ids: readonly string[], count: number): readonly number[] {
  const secret = Buffer.from(key, 'hex');
  return ids
    .map((id, position) => ({ position, rank: createHmac('sha256', secret).update(`id:${id}`).digest() }))
    .sort((one, other) => Buffer.compare(one.rank, other.rank))
    .slice(0, count)
    .map(({ position }) => position);
}
