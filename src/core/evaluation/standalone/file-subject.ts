import { createHmac } from 'node:crypto';
import type { SampleSet } from '../../data/index.js';
import { RefusedError } from '../../errors/index.js';
import type { Digest } from '../../spec/index.js';
import type { GateSubject } from '../gate.js';
import { chooseSamples, seedOf } from '../run-key.js';
import { sampleBytes } from '../serve-cleanly.js';
import { takeSamples } from '../take-samples.js';
import type { ModelFile } from './model-file.js';

/** What a gate is shown that looks at anyone's file. */
export interface FileInputs {
  readonly model: ModelFile;
  readonly set: SampleSet;
  /** Names the draw of the samples and all random choices, together with the data. */
  readonly seed: number;
  /** Digest of the bytes that the samples came from. */
  readonly data: Digest;
}

/** A subject with the names of its classes. */
export interface FileSubject {
  readonly subject: GateSubject;
  readonly classes: readonly (string | number)[];
}

/**
 * Draws samples and makes a gate's subject of anyone's model file.
 *
 * The draw of the samples depends on the data and the seed alone, so that figures of several models or radii are about the
 * same samples.
 *
 * @param count - of samples
 * @throws RefusedError `data-refused` when the labels are none of the model's classes
 */
export async function fileSubject(
  { model, set, seed, data }: FileInputs,
  count: number,
): Promise<FileSubject> {
  const { shape, minimum, maximum } = set;
  const key = createHmac('sha256', 'assay/standalone/v1').update(`${data}\n${seed}`).digest('hex');
  const samples = takeSamples(set.samples, chooseSamples(key, set.samples.ids, count));
  const first = await model.serve(sampleBytes(samples.inputs, minimum.length, 0), shape);
  const classes = classNames(set, first.length);
  return {
    classes,
    subject: {
      samples,
      classes: classes.length,
      minimum,
      maximum,
      ...(set.features && { features: set.features }),
      seed: seedOf(key),
      serve: (bytes) => model.serve(bytes, shape),
      openClassifier: (...how) => model.openClassifier(shape, ...how),
      certifiable: {
        onnx: model.onnx,
        shape,
        classes: classes.length,
        minimum,
        maximum,
        logits: (inputs, n) => model.answers(inputs, n, shape),
      },
    },
  };
}

/** Data need not hold a sample of every class. */
function classNames({ classes }: SampleSet, count: number): FileSubject['classes'] {
  const indices = classes.every((name, index) => name === index);
  if (classes.length > count || (classes.length < count && !indices)) {
    throw new RefusedError(
      'data-refused',
      `expected the ${count} classes of the model, got ${classes.length}; give them in the model's order with --classes`,
    );
  }
  return indices ? Array.from({ length: count }, (_, index) => index) : classes;
}
