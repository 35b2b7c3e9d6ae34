import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { DuckDBVector } from '@duckdb/node-api';
import { RefusedError, TransientError } from '../errors/index.js';
import { hashedNgrams } from '../text/index.js';
import { identifier, literal, openDatabase } from './database.js';
import type { Dataset, Split } from './dataset.js';
import { type SnapshotManifest, snapshotManifestSchema } from './snapshot.js';

/**
 * Reads `snapshot.json` of a snapshot folder.
 * @throws RefusedError `snapshot-invalid`
 */
export async function readManifest(folder: string): Promise<SnapshotManifest> {
  try {
    return snapshotManifestSchema.parse(
      JSON.parse(await readFile(path.join(folder, 'snapshot.json'), 'utf8')),
    );
  } catch (error) {
    throw invalid(`a snapshot manifest in ${folder}`, error);
  }
}

/**
 * Reads one split as a model sees it: float32, scaled, row-major, sorted by id.
 *
 * The bytes are taken as verified (`Store.fetchTree` did); what is checked here is that manifest and rows agree.
 *
 * @param folder - a snapshot as fetched from a store
 * @throws RefusedError `snapshot-invalid`
 */
export async function readSplit(folder: string, split: Split): Promise<Dataset> {
  const manifest = await readManifest(folder);
  const root = await realpath(folder);
  const { features, label, text } = manifest;
  const columns = (text ? [] : features).map(({ column, minimum, maximum, scale }) => {
    const value = `${identifier(column)}::DOUBLE`;
    // The division is done in double precision and rounded once.
    const scaled = `(${value} - '${minimum}'::DOUBLE) / ('${maximum}'::DOUBLE - '${minimum}'::DOUBLE)`;
    return `(${scale === 'unit' ? scaled : value})::FLOAT`;
  });
  if (text) columns.push(identifier(text.column));
  const classes = label.classes.map((name) => literal(String(name)));
  const database = await openDatabase(root);
  try {
    const result = await database.stream(
      `SELECT ${identifier(manifest.id)}, ` +
        `(list_position([${classes.join(', ')}], ${identifier(label.column)}::VARCHAR) - 1)::INTEGER, ` +
        `${columns.join(', ')} FROM read_parquet(${literal(path.join(root, `${split}.parquet`))}, hive_partitioning = false)`,
    );
    const size = features.length;
    const rows = manifest.rows[split];
    const dataset = {
      ids: [] as string[],
      inputs: new Float32Array(rows * size),
      labels: new Uint32Array(rows),
      ...(text && { texts: [] as string[] }),
    };
    for (let start = 0; ; ) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) {
        if (start === rows) return dataset;
        throw new RefusedError('snapshot-invalid', `expected ${rows} rows in ${split}.parquet, got ${start}`);
      }
      const count = chunk.rowCount;
      if (start + count > rows) {
        throw new RefusedError('snapshot-invalid', `expected ${rows} rows in ${split}.parquet, got more`);
      }
      for (const id of chunk.getColumnValues(0)) dataset.ids.push(String(id));
      const labels = chunk.getColumnVector(1);
      for (let i = 0; i < count; i++) dataset.labels[start + i] = numberAt(labels, i, split);
      for (let column = 0; column < columns.length; column++) {
        const values = chunk.getColumnVector(column + 2);
        for (let i = 0; i < count; i++) {
          const at = (start + i) * size + column;
          if (text) {
            const found = textAt(values, i, split);
            dataset.texts!.push(found);
            dataset.inputs.set(hashedNgrams(found, text), at);
          } else dataset.inputs[at] = numberAt(values, i, split);
        }
      }
      start += count;
    }
  } catch (error) {
    throw error instanceof RefusedError
      ? error
      : invalid(`${split}.parquet to be as its manifest says`, error);
  } finally {
    database.close();
  }
}

/**
 * The smallest and largest value of each model input, in the units the model sees (after scaling): the box an
 * adversarial example must stay in. Both have one value a feature, in model order.
 */
export function inputRange(manifest: SnapshotManifest): { minimum: Float32Array; maximum: Float32Array } {
  const { features } = manifest;
  return {
    minimum: Float32Array.from(features, ({ scale, minimum }) => (scale === 'unit' ? 0 : minimum)),
    maximum: Float32Array.from(features, ({ scale, maximum }) => (scale === 'unit' ? 1 : maximum)),
  };
}

function numberAt(vector: DuckDBVector, index: number, split: Split): number {
  const value = vector.getItem(index);
  if (typeof value === 'number') return value;
  throw new RefusedError(
    'snapshot-invalid',
    `expected ${split}.parquet without missing values or unknown labels`,
  );
}

function textAt(vector: DuckDBVector, index: number, split: Split): string {
  const value = vector.getItem(index);
  if (typeof value === 'string') return value;
  throw new RefusedError('snapshot-invalid', `expected ${split}.parquet without missing texts`);
}

function invalid(expected: string, cause: unknown): Error {
  if (cause instanceof TransientError) return cause;
  const [reason] = String((cause as Error).message).split('\n');
  return new RefusedError('snapshot-invalid', `expected ${expected}: ${reason}`, [], { cause });
}
