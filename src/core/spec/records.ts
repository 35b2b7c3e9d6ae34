import { z } from 'zod';
import { dataAccountSchema } from './data-account.js';
import { digestSchema } from './digest.js';
import { nameSchema } from './name.js';
import { servingSchema } from './serving.js';

/** What ingest hands on: an immutable snapshot of accepted rows. */
export const snapshotRecordSchema = z.strictObject({
  /** Tree of `train.parquet`, `validation.parquet`, `test.parquet` and `snapshot.json`. */
  snapshot: digestSchema,
  /** The bytes that were read. */
  source: digestSchema,
  rows: z.strictObject({ train: z.int(), validation: z.int(), test: z.int() }),
  classes: z.int(),
  features: z.int(),
  /** Absent in records of versions that neither changed data nor judged it as a whole. */
  account: dataAccountSchema.optional(),
});
export type SnapshotRecord = z.infer<typeof snapshotRecordSchema>;

/** What training hands on: a model folder and how it came to be. */
export const modelRecordSchema = z.strictObject({
  /** Tree of `model.onnx`, `model-card.json` and `metrics.json`. */
  model: digestSchema,
  /** The blob of `model.onnx` inside it. */
  onnx: digestSchema,
  snapshot: digestSchema,
  /** Blob of the JSON that names versions, CPU features and thread counts: see `environment` in `core/training`. */
  environment: digestSchema,
  /** Final metrics as the trainer reported them. */
  metrics: z.record(z.string(), z.number()),
  trainer: z.string(),
  seed: z.int(),
  /** Digest of the parameters' canonical JSON. */
  parameters: digestSchema,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
});
export type ModelRecord = z.infer<typeof modelRecordSchema>;

/** What a gate decided, and on what evidence. */
export const verdictSchema = z.strictObject({
  /** Name of the gate in the lifecycle. */
  gate: nameSchema,
  kind: z.enum(['accuracy', 'evasion', 'certified', 'certified-poisoning', 'extraction']),
  status: z.enum(['pass', 'fail', 'inconclusive']),
  /** What was estimated, in the field's words: `accuracy`, `robust accuracy`, `certified accuracy`. */
  metric: z.string(),
  estimate: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  confidence: z.number(),
  n: z.int(),
  threshold: z.number(),
  /** Where the threshold is one that the estimate must stay below; it is a minimum where this is absent. */
  bound: z.literal('maximum').optional(),
  /** Sentences that explain the status; never empty. */
  reasons: z.array(z.string()).min(1),
  /** Further figures, such as accuracy a class or robust accuracy an attack. */
  figures: z.record(z.string(), z.number()),
  /** Blob of the per-sample results (JSON Lines), from which the verdict can be decided again. */
  evidence: digestSchema,
});
export type Verdict = z.infer<typeof verdictSchema>;

/** The signed statements that a release stands on, as digests of their envelopes in the store. */
export const chainSchema = z.strictObject({
  data: digestSchema,
  /** The OMS bundle over the model folder. */
  signature: digestSchema,
  provenance: digestSchema,
  tests: z.array(digestSchema).min(1),
  /** The verification summary (SLSA VSA). */
  verification: digestSchema,
  /** Approvals by people, when the lifecycle asked for them. */
  approvals: z.array(digestSchema).min(1).max(16).optional(),
  /** Waivers of gates that did not pass, signed by people who may. */
  waivers: z.array(digestSchema).min(1).max(16).optional(),
});
export type Chain = z.infer<typeof chainSchema>;

/** One numbered revision of an endpoint: the predicate of a release statement. */
export const releaseRecordSchema = z.strictObject({
  endpoint: nameSchema,
  /** 1, 2, 3, …: a gateway never goes back to a smaller number; a rollback is a new revision of an old model. */
  revision: z.int().min(1),
  kind: z.enum(['release', 'rollback']),
  model: digestSchema,
  chain: chainSchema,
  /** What gateways reveal to whom; everything to everyone where it is absent. */
  serving: servingSchema.optional(),
  /** Envelope of the revision before; null for the first. */
  previous: digestSchema.nullable(),
  /** For a rollback: the revision whose model this one serves again. */
  restores: z.int().min(1).optional(),
  reason: z.string(),
  /** The person who asked: proven where `requests` bear it, and a claim otherwise. */
  requestedBy: z.string(),
  /** Envelopes of the signed requests that led to it: of the run, and of the rollback where it is one. */
  requests: z.array(digestSchema).min(1).max(2).optional(),
  createdAt: z.iso.datetime(),
});
export type ReleaseRecord = z.infer<typeof releaseRecordSchema>;
