import { z } from 'zod';
import { transformSchema } from './data-transforms.js';
import { digestSchema } from './digest.js';

/** What a check of the data as a whole found. */
export const checkVerdictSchema = z.strictObject({
  /** Of the data block, or `null-share`, which columns bring along. */
  check: z.enum(['null-share', 'freshness', 'class-balance', 'drift', 'vector-drift']),
  /** The column; of several, the one that fares worst. */
  column: z.string().optional(),
  metric: z.string(),
  estimate: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  rows: z.int(),
  /** What the estimate is held against. */
  threshold: z.number(),
  status: z.enum(['pass', 'fail', 'inconclusive']),
  /** For people. */
  reason: z.string(),
});
export type CheckVerdict = z.infer<typeof checkVerdictSchema>;

/** How a snapshot came out of its source: beside the data block, all that its data statement says. */
export const dataAccountSchema = z.strictObject({
  /** Tree of the snapshot that this one follows. */
  parent: digestSchema.nullable(),
  /** Other files that the checks read: blobs by the path in the data block. */
  files: z.record(z.string(), digestSchema),
  /** In the order in which they were made. */
  transforms: z.array(z.strictObject({ transform: transformSchema, values: z.int(), rows: z.int() })),
  checks: z.array(checkVerdictSchema),
  /** Rows that were read; of them, those set aside. */
  read: z.int(),
  refused: z.int(),
  /** Blob of the rows that were set aside, with reasons. */
  quarantine: digestSchema.optional(),
  /** Signed decisions by which rows that broke a rule were let in. */
  releases: z.array(digestSchema),
});
export type DataAccount = z.infer<typeof dataAccountSchema>;
