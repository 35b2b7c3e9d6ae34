import {
  attacks,
  type Classifier,
  openClassifier,
  predictedClass,
  type Samples,
} from '../../../../src/core/attacks/index.js';
import { openServedModel } from '../../../../src/core/evaluation/served-model.js';
import { openSession } from '../../../../src/core/onnx/index.js';
import { CLASSES, SHAPE, SIZE } from './digits.js';
import { interfaceOf, validRange } from './gate.js';

/** How often a request is repeated, of which most answers must be wrong: some defences draw at random. */
const REPEATS = 5;
/** By how much the logits of a randomised defence must be wrong in the mean, before an attack is content. */
const CONFIDENCE = 3;

/**
 * What is left of a defended model when an attacker knows the defence: PGD along the gradients of a surrogate, each step
 * looked at in the defended model, or in the mean of several of its draws; then Square. Each example is confirmed alone in the served file.
 *
 * Source: Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 4 (BPDA).
 *
 * @returns for each sample whether it stands
 */
export async function attackAdaptively(
  onnx: Uint8Array,
  surrogate: Uint8Array,
  samples: Samples,
  epsilon: number,
  { classes = CLASSES, draws = 1 }: { readonly classes?: number; readonly draws?: number } = {},
): Promise<readonly boolean[]> {
  const served = await openServedModel(onnx, interfaceOf(classes));
  const session = await openSession(onnx, { place: 'inline' });
  const follower = await openClassifier(surrogate, SHAPE);
  const logits = async (inputs: Float32Array, n: number): Promise<Float32Array> => {
    const sum = new Float32Array(n * classes);
    for (let draw = 0; draw < draws; draw++) {
      const result = await session.run({ input: { type: 'float', dims: [n, ...SHAPE], data: inputs } });
      result.logits!.data.forEach((value, i) => {
        sum[i]! += Number(value);
      });
    }
    return sum;
  };
  const estimated: Classifier = {
    ...follower,
    classes,
    logits,
    lossGradient: async (inputs, labels, n) => {
      const answers = await logits(inputs, n);
      // Of draws, most must be wrong, not just half of them.
      if (draws > 1) {
        labels.forEach((label, row) => {
          answers[row * classes + label]! += CONFIDENCE * draws;
        });
      }
      return { ...(await follower.lossGradient(inputs, labels, n)), logits: answers };
    },
  };
  const threat = { norm: 'linf', epsilon, ...validRange() } as const;
  const standsAgainst = async (inputs: Float32Array): Promise<readonly boolean[]> => {
    const standing: boolean[] = [];
    for (const [index, label] of samples.labels.entries()) {
      const bytes = new Uint8Array(inputs.slice(index * SIZE, (index + 1) * SIZE).buffer);
      let right = 0;
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        if (predictedClass(await served.serve(bytes), classes) === label) right += 1;
      }
      standing.push(2 * right > REPEATS);
    }
    return standing;
  };
  try {
    const context = { seed: 17, batchSize: 64 };
    const steps = { steps: 40, restarts: 2, stepSize: epsilon / 8 };
    const tries = [
      () => attacks.pgd.run(estimated, samples, threat, steps, context),
      () => attacks.square.run(estimated, samples, threat, { queries: 300 }, context),
    ];
    let standing = await standsAgainst(samples.inputs);
    for (const attack of tries) {
      const { adversarial } = await attack();
      const left = await standsAgainst(adversarial);
      standing = standing.map((stands, i) => stands && left[i]!);
    }
    return standing;
  } finally {
    await Promise.all([served.close(), session.close(), follower.close()]);
  }
}
