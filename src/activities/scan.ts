import { z } from 'zod';
import { probeModel, requireSafeModel } from '../core/onnx/index.js';
import type { Digest } from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { runStage, type Stage, type StageResult } from './stage.js';

export interface ScanInput {
  /** Blob of the model file. */
  readonly onnx: Digest;
}

/** What a scan without errors found. */
export interface Scanned {
  readonly warnings: number;
  readonly notes: number;
}

const count = z.number().int().min(0);
const scanStage: Stage<Scanned> = {
  name: 'scan',
  version: 1,
  outcome: z.strictObject({ warnings: count, notes: count }),
};

/** Scans a model file, then tries it in a process of its own, before anything else is done with it. */
export function createScan({ store }: WorkerContext) {
  return async function scanModel({ onnx }: ScanInput): Promise<StageResult<Scanned>> {
    return runStage(store, scanStage, { onnx }, async () => {
      const bytes = await store.readBlob(onnx);
      const { warning, note } = requireSafeModel(bytes).counts;
      await probeModel(bytes);
      return { warnings: warning, notes: note };
    });
  };
}
