import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  decodeModel,
  encodeModel,
  floatTensor,
  int64Tensor,
  lossGradientModel,
  openSession,
} from '../../../src/core/onnx/index.js';

/** One row of exported-classifiers.json.gz, which exported-classifiers.py explains; binary data in base64. */
interface Exported {
  readonly name: string;
  readonly model: string;
  readonly dims: readonly number[];
  readonly x: string;
  readonly labels: readonly number[];
  readonly gradient: string;
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'base64'));
const floats = (text: string): Float32Array => new Float32Array(bytes(text).buffer);

const file = gunzipSync(readFileSync(join(__dirname, 'fixtures/exported-classifiers.json.gz')));
const rows = JSON.parse(file.toString()) as readonly Exported[];

test.each(rows.map((row) => [row.name, row] as const))('PyTorch agrees on %s', async (_, row) => {
  const model = lossGradientModel(decodeModel(bytes(row.model)));
  const session = await openSession(encodeModel(model), { place: 'inline' });
  const results = await session.run({
    input: floatTensor(row.dims, floats(row.x)),
    labels: int64Tensor([row.labels.length], row.labels),
  });
  await session.close();
  const expected = floats(row.gradient);
  const gradient = results.gradient!.data as Float32Array;
  const difference = expected.map((value, i) => gradient[i]! - value);
  expect(Math.hypot(...difference)).toBeLessThan(1e-5 * Math.hypot(...expected));
});
