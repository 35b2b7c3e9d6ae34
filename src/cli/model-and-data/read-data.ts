import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readDescribedTable, readSamples, type SampleSet } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import { type Digest, parseLifecycle } from '../../core/spec/index.js';
import { type DataOptions, sampleOptions } from './options.js';

/** What a model is to be tried on. */
export interface ReadData {
  readonly set: SampleSet;
  /** The file, as the user knows it. */
  readonly file: string;
  /** Of the bytes that were read. */
  readonly digest: Digest;
}

/** What the model's file says of itself. */
interface Expected {
  readonly shape: readonly number[] | undefined;
  readonly classes: number | undefined;
}

/**
 * Reads what `--data` or `--lifecycle` name, as a model with this shape and these classes needs it.
 * @throws RefusedError as the readers do; `usage` when neither is given, or options go with the other one only
 */
export async function readData(
  options: DataOptions,
  model: Expected,
  signal?: AbortSignal,
): Promise<ReadData> {
  const known = {
    ...(model.classes === undefined ? {} : { classCount: model.classes }),
    ...(signal ? { signal } : {}),
  };
  if (options.lifecycle !== undefined)
    return await readLifecycleData(options, options.lifecycle, model, known);
  if (options.data === undefined) throw new RefusedError('usage', 'expected --data FILE or --lifecycle FILE');
  if (options.split !== undefined) throw new RefusedError('usage', '--split goes with --lifecycle only');
  const shape = options.shape ?? model.shape;
  const set = await readSamples(options.data, {
    ...sampleOptions(options),
    ...known,
    ...(shape ? { shape } : {}),
  });
  return {
    set,
    file: options.data,
    digest: await digestOf(options.data, ...(options.labels ? [options.labels] : [])),
  };
}

/** A split that the model was not trained on, where the data is the lifecycle's own; all of it, where it is not. */
async function readLifecycleData(
  options: DataOptions,
  lifecycle: string,
  model: Expected,
  known: { readonly classCount?: number; readonly signal?: AbortSignal },
): Promise<ReadData> {
  const described = ['labels', 'label', 'id', 'columns', 'classes', 'shape', 'scale', 'range'] as const;
  const both = described.find((name) => options[name] !== undefined);
  if (both)
    throw new RefusedError('usage', `expected no --${both} with --lifecycle, whose data block says it`);
  const text = await readFile(lifecycle).catch((cause) => {
    throw new RefusedError('source-missing', `expected the lifecycle file ${lifecycle}, got none`, [], {
      cause,
    });
  });
  const { data } = parseLifecycle(text, lifecycle);
  const file = options.data ?? path.join(path.dirname(lifecycle), data.source);
  const block = options.data === undefined ? data : { ...data, source: options.data };
  const split = options.split ?? (options.data === undefined ? 'test' : 'all');
  const set = await readDescribedTable(file, block, split, {
    ...known,
    ...(model.shape ? { shape: model.shape } : {}),
  });
  const note = split === 'all' ? 'All rows are used' : `Only rows of the ${split} split are used`;
  return {
    set: { ...set, notes: [...set.notes, `${note}; see --split.`] },
    file,
    digest: await digestOf(file),
  };
}

async function digestOf(...files: readonly string[]): Promise<Digest> {
  const hash = createHash('sha256');
  for (const file of files)
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}
