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

export interface MeasureShardOptions extends OpenSubjectOptions {
  readonly block: Block;
}

/** Measures one block of a gate's draw and stores what was seen. Equal inputs give equal bytes. */
export async function measureShard(options: MeasureShardOptions): Promise<StoredShard> {
  const { store, gate: gateSpec, block } = options;
  const shard = await withSubject(options, async (subject): Promise<Shard> => {
    const found = new Map<string, AdversarialExample>();
    const watched: GateSubject = {
      ...subject,
      onBroken(example) {
        if (example.attack !== 'unbounded' && !found.has(example.id)) found.set(example.id, example);
      },
    };
    const measurement: Measurement<EvidenceRow> = await withGate(gateSpec, (gate, spec) =>
      gate.measure(spec, watched, block),
    );
    return {
      version: 1,
      about: aboutOf(options),
      block,
      environment: { ...executionEnvironment() },
      ...(measurement.obstacle === undefined ? {} : { obstacle: measurement.obstacle }),
      rows: [...measurement.rows],
      examples: subject.samples.ids
        .flatMap((id, position) => {
          const example = found.get(id);
          return example ? [storedExample(subject, position, example)] : [];
        })
        .slice(0, keptExamples),
    };
  });
  const bytes = new TextEncoder().encode(canonicalJson(shard));
  return { block, measured: await store.putBlob(bytes) };
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
