import { z } from 'zod';
import { type Digest, type ModelCard, modelCardSchema } from '../../spec/index.js';
import type { TreeEntry } from '../../store/index.js';
import { parseStrictJson } from '../strict-json.js';
import { attempt, expect, expectNotRevoked, fail, type Inspection, readBytes } from './inspection.js';

const modelFiles = ['metrics.json', 'model-card.json', 'model.onnx'] as const;

/** A model folder whose bytes were all read and hashed just now; what could not be read is missing. */
export interface ReadModel {
  readonly files: readonly TreeEntry[];
  readonly card: ModelCard | undefined;
  readonly onnx: Uint8Array | undefined;
}

/** Link 2: the bytes are there, they are what their digests say, and nothing lies beside them. */
export async function readModel(inspection: Inspection, model: Digest): Promise<ReadModel | undefined> {
  expectNotRevoked(inspection, 'model', model);
  const files = await attempt(inspection, 'model', () => inspection.store.readTree(model));
  if (!files) return undefined;
  const names = files.map(({ path }) => path);
  expect(
    inspection,
    'model',
    [...names].sort().join('\n') === modelFiles.join('\n'),
    'model-files',
    `expected ${modelFiles.join(', ')}, got ${names.map((name) => JSON.stringify(name)).join(', ') || 'no file'}`,
  );
  const contents = new Map<string, Uint8Array>();
  for (const { path, digest, size } of files) {
    const bytes = await attempt(inspection, 'model', () => readBytes(inspection.store, digest, size));
    if (bytes) contents.set(path, bytes);
  }
  return {
    files,
    card: parseCard(inspection, contents.get('model-card.json')),
    onnx: contents.get('model.onnx'),
  };
}

function parseCard(inspection: Inspection, bytes: Uint8Array | undefined): ModelCard | undefined {
  if (!bytes) return undefined;
  let json: unknown;
  try {
    json = parseStrictJson(bytes);
  } catch (error) {
    fail(inspection, 'model', 'card-invalid', `expected a JSON model card: ${(error as Error).message}`);
    return undefined;
  }
  const parsed = modelCardSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  fail(inspection, 'model', 'card-invalid', `expected a model card: ${z.prettifyError(parsed.error)}`);
  return undefined;
}
