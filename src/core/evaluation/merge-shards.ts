import type { SnapshotManifest } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import type { Digest, Verdict } from '../spec/index.js';
import { canonicalJson, type Store } from '../store/index.js';
import { type EvidenceHeader, encodeEvidence, parentEntry } from './evidence.js';
import type { EvidenceRow } from './gate.js';
import { keepExamples } from './keep-examples.js';
import { readManifestBlob } from './manifest-blob.js';
import { withGate } from './registry.js';
import { type GateInputs, policyDigest, runKey, runKeyDerivation } from './run-key.js';
import { readShard, type Shard, type StoredShard } from './shard.js';

/**
 * Joins shards into evidence and decides. However the draw was cut, the same rows come together, and so the same verdict
 * and the same evidence, byte for byte.
 *
 * @param shards - the first of the draw, in order and without a gap
 * @returns undefined while samples are missing that the gate needs to decide
 * @throws RefusedError `record-corrupt` when a shard is not what it should be
 */
export async function mergeShards(
  store: Store,
  inputs: GateInputs,
  stored: readonly StoredShard[],
): Promise<Verdict | undefined> {
  const manifest = await readManifestBlob(store, inputs.snapshot);
  const shards = await Promise.all(stored.map((shard) => readShard(store, inputs, shard)));
  return withGate(inputs.gate, async (gate, spec) => {
    const measured = rowsInOrder(shards, (row) => gate.rowSchema.parse(row));
    const needed = gate.sampleCount(spec, manifest.rows.test);
    const stop = gate.stopsAfter?.(spec, measured, needed) ?? needed;
    if (measured.length < stop) return undefined;
    const rows = measured.slice(0, stop);
    const kept = new Set(rows.map(({ id }) => id));
    const examples = shards.flatMap((shard) => shard.examples).filter(({ id }) => kept.has(id));
    const obstacle = shards[0]?.obstacle;
    const header = headerOf(
      inputs,
      manifest,
      shards,
      obstacle,
      await keepExamples(store, examples, manifest),
    );
    const evidence = await store.putBlob(encodeEvidence(header, rows));
    const { classes } = manifest.label;
    const parent = inputs.parent !== undefined;
    return { ...gate.decide(spec, { rows, classes, parent, ...(obstacle && { obstacle }) }), evidence };
  });
}

function headerOf(
  inputs: GateInputs,
  manifest: SnapshotManifest,
  shards: readonly Shard[],
  obstacle: string | undefined,
  examples: Digest | undefined,
): EvidenceHeader {
  const { gate, model, snapshot } = inputs;
  return {
    version: 1,
    gate,
    policy: policyDigest(gate),
    model,
    snapshot,
    ...parentEntry(inputs),
    runKey: { derivation: runKeyDerivation, value: runKey(inputs) },
    available: manifest.rows.test,
    classes: manifest.label.classes,
    environment: environmentOf(shards),
    ...(obstacle === undefined ? {} : { obstacle }),
    ...(examples === undefined ? {} : { examples }),
  };
}

function rowsInOrder<Row extends EvidenceRow>(
  shards: readonly Shard[],
  parse: (row: unknown) => Row,
): readonly Row[] {
  let next = 0;
  return shards.flatMap(({ block, rows }) => {
    if (block.from !== next || rows.length !== block.to - block.from) {
      throw new RefusedError(
        'record-corrupt',
        `expected ${block.to - next} rows from sample ${next} on, got ${rows.length} from ${block.from} on`,
      );
    }
    next = block.to;
    return rows.map(parse);
  });
}

/** Of like machines, as one; of several kinds, all of them. */
function environmentOf(shards: readonly Shard[]): Readonly<Record<string, unknown>> {
  const kinds = new Map(shards.map(({ environment }) => [canonicalJson(environment), environment]));
  const [first, ...others] = [...kinds].sort(([one], [other]) => (one < other ? -1 : 1));
  return others.length === 0 ? (first?.[1] ?? {}) : { several: [first, ...others].map((kind) => kind![1]) };
}
