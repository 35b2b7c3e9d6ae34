import type { Feeds, Tensor } from '../../../onnx/index.js';
import type { AdversarialSpec } from '../../../spec/index.js';
import type { StepGraph } from '../graphs.js';
import type { Problem } from '../problem.js';

/** The samples of one step, before a method has had its way with them. */
export interface Batch {
  readonly theta: Tensor;
  /** Which training samples. */
  readonly indices: Uint32Array;
  /** Their values, row-major. */
  readonly clean: Float32Array;
  /** Their labels, one-hot [N, classes]. */
  readonly labels: Tensor;
  /** The number of the epoch: names its draws. */
  readonly epoch: number;
  /** Time in epochs, for what grows in the course of a training. */
  readonly epochsDone: number;
}

/** A method at work on one problem. */
export interface Preparation {
  /** The inputs that the method's loss declared. A function of problem and batch: nothing is carried between steps. */
  feeds(batch: Batch): Promise<Feeds>;
  /** Figures of the trained model that the method can give. */
  metrics?(theta: Tensor): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/**
 * A way of training: one file that exports one value of this interface, listed in `registry.ts`. Draws are named by
 * (seed, method, epoch, sample id), so that no batch order or interruption changes them.
 */
export interface TrainingMethod<Spec> {
  /** Adds the loss of a batch, its mean over the samples, and declares the inputs it needs. @returns its value */
  addLoss(step: StepGraph, spec: Spec): string;
  /** Opens what is needed to fill those inputs. */
  prepare(problem: Problem, spec: Spec): Promise<Preparation>;
}

/** The part of the specification that a method reads. */
export type SpecOf<Method extends AdversarialSpec['method']> = Extract<AdversarialSpec, { method: Method }>;
