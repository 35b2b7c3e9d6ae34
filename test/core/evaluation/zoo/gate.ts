import { openClassifier, type Samples } from '../../../../src/core/attacks/index.js';
import { openServedModel } from '../../../../src/core/evaluation/served-model.js';
import {
  evaluateFile,
  type FileEvaluation,
} from '../../../../src/core/evaluation/standalone/evaluate-file.js';
import { openModelFile } from '../../../../src/core/evaluation/standalone/model-file.js';
import { type EvasionGateSpec, gatesSchema } from '../../../../src/core/spec/index.js';
import { digestOf } from '../../../../src/core/store/index.js';
import { CLASSES, SHAPE, SIZE } from './digits.js';

/** The evasion gate as it is by default, but for some options. */
export function evasionSpec(options: {
  readonly epsilon: number;
  readonly minimum: number;
  readonly [option: string]: unknown;
}): EvasionGateSpec {
  const [gate] = gatesSchema.parse([{ gate: 'evasion', norm: 'linf', ...options }]);
  return gate as EvasionGateSpec;
}

/**
 * Puts a model of digits before the evasion gate as a release would: the file is served as it is, and the same file is
 * attacked.
 *
 * @param classes - how many logits it gives, where it knows of more than the ten digits
 */
export async function evaluateDigits(
  onnx: Uint8Array,
  spec: EvasionGateSpec,
  samples: Samples,
  classes = CLASSES,
): Promise<FileEvaluation> {
  const [file, served] = await Promise.all([
    openModelFile(onnx),
    openServedModel(onnx, interfaceOf(classes)),
  ]);
  try {
    return await evaluateFile({
      model: {
        ...file,
        // As a release has it: anyone's file is looked into deeper than that, through a final Softmax.
        serve: served.serve,
        openClassifier: (...how) => openClassifier(onnx, ...how),
      },
      set: {
        samples,
        classes: interfaceOf(classes).output.classes,
        ...validRange(),
        shape: SHAPE,
        notes: [],
      },
      spec,
      seed: 5,
      data: digestOf('digits'),
    });
  } finally {
    await Promise.all([file.close(), served.close()]);
  }
}

/** What keeps a model from passing beside its robust accuracy: the controls that do not hold. */
export function alarms({ controls }: FileEvaluation): readonly string[] {
  return controls.flatMap(({ name, status }) => (status === 'pass' ? [] : [name]));
}

export function interfaceOf(classes: number) {
  return {
    input: { name: 'input', shape: [...SHAPE] },
    output: { name: 'logits', classes: Array.from({ length: classes }, (_, index) => index) },
  };
}

export function validRange(): { readonly minimum: Float32Array; readonly maximum: Float32Array } {
  return { minimum: new Float32Array(SIZE), maximum: new Float32Array(SIZE).fill(1) };
}
