import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeNpy, type SampleSet, writeParquet } from '../../core/data/index.js';
import { evasionColumns, examplePictures, type FileEvaluation } from '../../core/evaluation/index.js';
import { canonicalJson } from '../../core/store/index.js';
import type { AttackResult } from './result.js';

/** Examples that are also written as pictures. */
const MAXIMUM_PICTURES = 100;

/**
 * Writes `result.json`, `evidence.jsonl` (one line a sample) and the same as a table, `evidence.parquet`, `examples.json` with `original.npy` and `adversarial.npy` in the
 * same order, and pictures where samples are some. Files are named by position: names of samples may hold anything.
 */
export async function writeOutput(
  folder: string,
  result: AttackResult,
  { measurement, samples, examples }: FileEvaluation,
  set: SampleSet,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeFile(path.join(folder, name), content, { flag: 'wx' });
  const size = set.minimum.length;
  const positions = new Map(samples.ids.map((id, position) => [id, position]));
  const originals = examples.map(({ id }) => {
    const at = positions.get(id)!;
    return samples.inputs.subarray(at * size, (at + 1) * size);
  });
  await write('result.json', `${JSON.stringify(result, null, 2)}\n`);
  await write('evidence.jsonl', measurement.rows.map((row) => `${canonicalJson(row)}\n`).join(''));
  await writeParquet(evasionColumns(measurement.rows), path.join(folder, 'evidence.parquet'));
  const listed = examples.map(({ id, attack, prediction }) => ({
    id,
    label: samples.labels[positions.get(id)!]!,
    prediction,
    attack,
  }));
  await write('examples.json', `${JSON.stringify(listed, null, 2)}\n`);
  const shape = [examples.length, ...set.shape];
  await write('original.npy', encodeNpy(shape, joined(originals, size)));
  await write(
    'adversarial.npy',
    encodeNpy(
      shape,
      joined(
        examples.map(({ adversarial }) => adversarial),
        size,
      ),
    ),
  );
  for (const [i, { adversarial }] of examples.slice(0, MAXIMUM_PICTURES).entries()) {
    const pictures = examplePictures(originals[i]!, adversarial, set);
    if (!pictures) return;
    if (i === 0) await mkdir(path.join(folder, 'pictures'));
    for (const [view, png] of Object.entries(pictures)) {
      await write(path.join('pictures', `${String(i).padStart(4, '0')}-${view}.png`), png);
    }
  }
}

function joined(rows: readonly Float32Array[], size: number): Float32Array {
  const all = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    all.set(row, i * size);
  });
  return all;
}
