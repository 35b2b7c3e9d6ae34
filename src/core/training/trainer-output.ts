import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { RefusedError } from '../errors/index.js';

const metricsSchema = z.record(z.string(), z.number());
/** Bytes; metrics are a handful of numbers. */
const largestMetrics = 1_048_576;

export interface TrainerOutput {
  readonly modelFile: string;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * What a trainer left in its output folder: `model.onnx` and the numbers of `metrics.json`.
 *
 * @throws RefusedError `training-refused` when a file is missing, empty, no regular file, or not what it should be
 */
export async function readTrainerOutput(outputFolder: string): Promise<TrainerOutput> {
  const modelFile = path.join(outputFolder, 'model.onnx');
  await sizeOfFile(modelFile);
  const metricsFile = path.join(outputFolder, 'metrics.json');
  const size = await sizeOfFile(metricsFile);
  if (size > largestMetrics) {
    throw refusal(`expected metrics.json of at most ${largestMetrics} bytes, got ${size}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(await readFile(metricsFile, 'utf8'));
  } catch (error) {
    throw refusal('expected metrics.json to be JSON', error);
  }
  const metrics = metricsSchema.safeParse(json);
  if (!metrics.success)
    throw refusal('expected metrics.json to be an object of finite numbers', metrics.error);
  return { modelFile, metrics: metrics.data };
}

async function sizeOfFile(file: string): Promise<number> {
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found?.isFile() || found.size === 0) {
    const got = found === undefined ? 'nothing' : found.isFile() ? 'an empty file' : 'no regular file';
    throw refusal(`expected the trainer to write ${path.basename(file)}, got ${got}`);
  }
  return found.size;
}

function refusal(message: string, cause?: unknown): RefusedError {
  return new RefusedError('training-refused', message, [], { cause });
}
