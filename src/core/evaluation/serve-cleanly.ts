import type { Block, EvidenceRow, GateSubject } from './gate.js';
import { askServed } from './majority.js';

/** One sample's values as the bytes that a client sends: float32, little-endian. */
export function sampleBytes(inputs: Float32Array, size: number, index: number): Uint8Array {
  const bytes = new Uint8Array(size * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < size; i++) view.setFloat32(i * 4, inputs[index * size + i]!, true);
  return bytes;
}

/**
 * What the served model answers to every sample of a block as it is, one at a time, in the order drawn.
 *
 * @param answers - to each, of which most count
 */
export async function serveCleanly(
  subject: GateSubject,
  onProgress?: (fraction: number) => void,
  { from, to }: Block = { from: 0, to: subject.samples.ids.length },
  answers = 1,
): Promise<readonly EvidenceRow[]> {
  const { samples, minimum, signal } = subject;
  const rows: EvidenceRow[] = [];
  for (let index = from; index < to; index++) {
    signal?.throwIfAborted();
    const id = samples.ids[index]!;
    const label = samples.labels[index]!;
    const bytes = sampleBytes(samples.inputs, minimum.length, index);
    const { predicted } = await askServed(subject, bytes, label, answers);
    rows.push({ id, label, predicted, correct: predicted === label });
    onProgress?.((index + 1 - from) / (to - from));
  }
  return rows;
}
