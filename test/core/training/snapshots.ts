import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest } from '../../../src/core/data/index.js';
import { type Digest, dataSchema } from '../../../src/core/spec/index.js';
import { openStore, type Store } from '../../../src/core/store/index.js';

const pixels = Array.from({ length: 64 }, (_, i) => `p${Math.floor(i / 8)}${i % 8}`);

/** A store in `folder` and in it the snapshot of the first handwritten digits. */
export async function digitsSnapshot(
  folder: string,
  rows: number,
): Promise<{ store: Store; snapshot: Digest }> {
  const store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
  const csv = await readFile('examples/digits/digits.csv', 'utf8');
  const source = await store.putBlob(
    Buffer.from(
      csv
        .split('\n')
        .slice(0, rows + 1)
        .join('\n'),
    ),
  );
  const data = dataSchema.parse({
    source: 'digits.csv',
    id: 'id',
    label: { column: 'label', classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    features: [{ columns: pixels, type: 'integer', minimum: 0, maximum: 16, scale: 'unit' }],
    shape: [1, 8, 8],
    split: { seed: 7 },
  });
  const result = await ingest({ store, source, data, workFolder: folder });
  if (result.kind === 'refused') throw new Error(result.summary.join('\n'));
  return { store, snapshot: result.record.snapshot };
}
