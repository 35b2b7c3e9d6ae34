import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { executionEnvironment } from '../onnx/index.js';
import { type Digest, digestSchema } from '../spec/index.js';
import { canonicalJson, digestOfJson, type Store } from '../store/index.js';
import type { AdversarialExample, Block, EvidenceRow, GateSubject, Measurement } from './gate.js';
import { type OpenSubjectOptions, withSubject } from './open-subject.js';
import { withGate } from './registry.js';
import type { GateInputs } from './run-key.js';

/** Adversarial examples that evidence keeps: those of the first broken samples in the order drawn. */
export const keptExamples = 16;

const blockSchema = z.strictObject({ from: z.int().min(0), to: z.int().min(0) });

/** A shard that was measured: its place in the draw, and the blob of what was seen. */
export const storedShardSchema = z.strictObject({ block: blockSchema, measured: digestSchema });
export type StoredShard = z.infer<typeof storedShardSchema>;

const exampleSchema = z.strictObject({
  id: z.string(),
  attack: z.string(),
  prediction: z.int().min(-1),
  /** Little-endian float32 values in base64, as a client would send them. */
  original: z.string(),
  adversarial: z.string(),
});

const shardSchema = z.strictObject({
  version: z.literal(1),
  /** Digest of the gate, the model, the snapshot and the parent. */
  about: digestSchema,
  block: blockSchema,
  environment: z.record(z.string(), z.unknown()),
  obstacle: z.string().min(1).optional(),
  /** In the order drawn; checked against the gate's own schema when the evidence is made. */
  rows: z.array(z.unknown()),
  examples: z.array(exampleSchema).max(keptExamples),
});
export type Shard = z.infer<typeof shardSchema>;
export type StoredExample = z.infer<typeof exampleSchema>;

/** A shard under way, from which any worker of the same kind goes on. */
const resumePointSchema = z.strictObject({
  version: z.literal(1),
  about: digestSchema,
  block: blockSchema,
  environment: z.record(z.string(), z.unknown()),
  steps: z.int().min(1),
  rows: z.array(z.unknown()),
  examples: z.array(exampleSchema).max(keptExamples),
});
type StoredResumePoint = z.infer<typeof resumePointSchema>;

export interface MeasureShardOptions extends OpenSubjectOptions {
  readonly block: Block;
  /** A resume point that an earlier attempt stored; it saves time and changes no result. */
  readonly resumeFrom?: Digest;
  /** Called with the blob of each resume point. */
  readonly onResumePoint?: (point: Digest) => void;
}

/**
 * Measures one block of a gate's draw and stores what was seen. Equal inputs give equal bytes, after any number of
 * interruptions.
 */
export async function measureShard(options: MeasureShardOptions): Promise<StoredShard> {
  const { store, gate: gateSpec, block } = options;
  const begun = await readResumePoint(options);
  const common = { version: 1, about: aboutOf(options), block, environment: environment() } as const;
  const shard = await withSubject(options, async (subject): Promise<Shard> => {
    const positions = new Map(subject.samples.ids.map((id, position) => [id, position]));
    const found = new Map(begun?.examples.map((example) => [example.id, example]));
    const watched: GateSubject = {
      ...subject,
      onBroken(example) {
        const { id, attack } = example;
        if (attack !== 'unbounded' && !found.has(id)) {
          found.set(id, storedExample(subject, positions.get(id)!, example));
        }
      },
    };
    const examples = (): StoredExample[] =>
      [...found.values()]
        .sort((one, other) => positions.get(one.id)! - positions.get(other.id)!)
        .slice(0, keptExamples);
    const measurement: Measurement<EvidenceRow> = await withGate(gateSpec, (gate, spec) => {
      const rows = begun?.rows.map((row) => gate.rowSchema.parse(row));
      return gate.measure(spec, watched, block, {
        ...(begun && rows && { from: { steps: begun.steps, rows } }),
        async keep({ steps, rows: sofar }) {
          const point: StoredResumePoint = { ...common, steps, rows: [...sofar], examples: examples() };
          options.onResumePoint?.(await store.putBlob(encode(point)));
        },
      });
    });
    return {
      ...common,
      ...(measurement.obstacle === undefined ? {} : { obstacle: measurement.obstacle }),
      rows: [...measurement.rows],
      examples: examples(),
    };
  });
  return { block, measured: await store.putBlob(encode(shard)) };
}

/**
 * What an earlier attempt left, where it is about the same work and was computed as it would be here: evidence names one
 * environment a shard. Lost or damaged, it costs time and changes no result.
 */
async function readResumePoint(options: MeasureShardOptions): Promise<StoredResumePoint | undefined> {
  const { store, block, resumeFrom } = options;
  if (resumeFrom === undefined) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = await store.readBlob(resumeFrom);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
  const parsed = resumePointSchema.safeParse(parseJson(bytes));
  if (
    !parsed.success ||
    !withGate(options.gate, (gate) => z.array(gate.rowSchema).safeParse(parsed.data.rows).success)
  ) {
    return undefined;
  }
  const { about, environment: where, block: which } = parsed.data;
  const same =
    canonicalJson([about, which, where]) === canonicalJson([aboutOf(options), block, environment()]);
  return same ? parsed.data : undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function environment(): Record<string, unknown> {
  return { ...executionEnvironment() };
}

function encode(value: Shard | StoredResumePoint): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

function storedExample(
  { samples, minimum }: GateSubject,
  position: number,
  { id, attack, prediction, adversarial }: AdversarialExample,
): StoredExample {
  const size = minimum.length;
  const original = samples.inputs.slice(position * size, (position + 1) * size);
  return { id, attack, prediction, original: encodeFloats(original), adversarial: encodeFloats(adversarial) };
}

/** @throws RefusedError `record-corrupt` when the blob is not this shard of this evaluation */
export async function readShard(
  store: Store,
  inputs: GateInputs,
  { block, measured }: StoredShard,
): Promise<Shard> {
  const parsed = shardSchema.safeParse(JSON.parse(new TextDecoder().decode(await store.readBlob(measured))));
  if (
    !parsed.success ||
    parsed.data.about !== aboutOf(inputs) ||
    canonicalJson(parsed.data.block) !== canonicalJson(block)
  ) {
    throw new RefusedError(
      'record-corrupt',
      `expected samples ${block.from} to ${block.to} of an evaluation in ${measured}, got something else`,
    );
  }
  return parsed.data;
}

function aboutOf({ gate, model, snapshot, parent }: GateInputs): Digest {
  return digestOfJson({ gate, model, snapshot, ...(parent && { parent }) });
}

function encodeFloats(values: Float32Array): string {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, i * 4);
  });
  return bytes.toString('base64');
}

/** @throws RangeError when it is no whole number of values */
export function decodeFloats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}
