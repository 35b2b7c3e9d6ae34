import type { Store } from '../store/index.js';
import type { Block } from './gate.js';
import { readManifestBlob } from './manifest-blob.js';
import { withGate } from './registry.js';
import type { GateInputs } from './run-key.js';

/** How many shards are measured before the gate looks whether it may stop. */
const WAVE = 4;

/**
 * Cuts the draw of a gate into shards: blocks that workers measure apart from each other.
 *
 * @param shards - how many there are to be; default: as many as the gate's shard size asks for
 * @returns waves, one after the other; only a gate that may stop early has more than one
 */
export async function planShards(
  store: Store,
  { gate: gateSpec, snapshot }: GateInputs,
  shards?: number,
): Promise<readonly (readonly Block[])[]> {
  const { rows } = await readManifestBlob(store, snapshot);
  const [count, size] = withGate(gateSpec, (gate, spec) => [
    gate.sampleCount(spec, rows.test),
    gate.shardSize,
  ]);
  const wanted = Math.max(1, shards ?? Math.ceil(count / size));
  const edges = Array.from({ length: wanted + 1 }, (_, i) => Math.round((i * count) / wanted));
  const blocks = edges.slice(1).map((to, i) => ({ from: edges[i]!, to }));
  const early = gateSpec.gate === 'evasion' && gateSpec.earlyStop;
  const waves: (readonly Block[])[] = [];
  for (let at = 0; at < blocks.length; at += early ? WAVE : blocks.length) {
    waves.push(blocks.slice(at, early ? at + WAVE : blocks.length));
  }
  return waves;
}
