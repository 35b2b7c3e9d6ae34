import os from 'node:os';
import { env, type InferenceSession } from 'onnxruntime-node';

/**
 * How ONNX Runtime is configured for everything that is evidence, and for what is served. Bits depend on it: with two
 * threads sums are taken in another order. At level `all` convolutions with constant weights run in a layout of their own,
 * twice as fast as at `extended`; so a net whose weights are inputs, as in training, differs in the last bits.
 */
export const evidenceConfiguration = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
} as const satisfies InferenceSession.SessionOptions;

/** What results may depend on beyond the model and its inputs; part of the evidence. */
export interface ExecutionEnvironment {
  readonly runtime: 'onnxruntime-node';
  readonly runtimeVersion: string;
  readonly configuration: typeof evidenceConfiguration;
  /** As the operating system names it. ONNX Runtime picks kernels by what the processor can do. */
  readonly cpu: string;
  readonly architecture: string;
  readonly platform: string;
}

/** @returns where and how sessions of this process compute */
export function executionEnvironment(): ExecutionEnvironment {
  return {
    runtime: 'onnxruntime-node',
    runtimeVersion: env.versions.node ?? env.versions.common,
    configuration: evidenceConfiguration,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    architecture: process.arch,
    platform: process.platform,
  };
}
