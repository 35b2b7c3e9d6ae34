import { openSession } from '../../onnx/index.js';
import { permutation, randomStream } from '../../random/index.js';
import type { AttackedBall, BuiltInParameters, EarlyStoppingSpec } from '../../spec/index.js';
import { accuracyOf } from './accuracy.js';
import { ascentModel, climb, drawFromBall } from './ascent.js';
import { gatherRows } from './batch.js';
import type { Best, TrainingState } from './checkpoint.js';
import type { Problem } from './problem.js';

type Answer = (theta: Float32Array) => Parameters<typeof accuracyOf>[2];

/** Looks at weights at the end of epochs, keeps the best and says when to stop. */
export interface EarlyStopping {
  /** @returns the best weights after a look at the current ones, or as they were when it is not yet time */
  look(state: TrainingState, epoch: number): Promise<Best | undefined>;
  hasStopped(best: Best | undefined): boolean;
  close(): Promise<void>;
}

/**
 * Early stopping as the parameters ask for it. `fgsm-rs` is always watched: its catastrophic overfitting shows under PGD
 * and nowhere in its own loss (Wong, Rice, Kolter 2020, section 5.3).
 *
 * @param answer - logits of the network with some weights
 * @returns undefined when there is none
 */
export async function openEarlyStopping(
  problem: Problem,
  answer: Answer,
): Promise<EarlyStopping | undefined> {
  const spec = specOf(problem.parameters);
  if (!spec || problem.validation.labels.length === 0) return undefined;
  const scores = await openScore(chosen(problem, spec.samples), spec, answer);
  return {
    look: async ({ theta, best }, epoch) => {
      if (epoch % spec.everyEpochs !== 0 && epoch !== problem.parameters.epochs) return best;
      const score = await scores.of(theta);
      if (best === undefined || score > best.score) return { theta, score, epoch, looksSince: 0 };
      return { ...best, looksSince: best.looksSince + 1 };
    },
    hasStopped: (best) => spec.patience !== undefined && (best?.looksSince ?? 0) >= spec.patience,
    close: scores.close,
  };
}

function specOf({ adversarial, earlyStopping }: BuiltInParameters): EarlyStoppingSpec | undefined {
  if (earlyStopping || adversarial?.method !== 'fgsm-rs') return earlyStopping;
  return { on: 'robust', everyEpochs: 1, samples: 500 };
}

/** The ball to attack in: of its own, or the one that is trained against. */
function ballOf({ adversarial }: BuiltInParameters, { attack }: EarlyStoppingSpec): AttackedBall | undefined {
  if (attack) return attack;
  if (!adversarial || !('norm' in adversarial)) return undefined;
  return { norm: adversarial.norm, epsilon: adversarial.epsilon, steps: 10 };
}

/** The problem with only some of its validation samples, which depend on the seed alone. */
function chosen(problem: Problem, samples: number): Problem {
  const { validation, seed } = problem;
  const size = validation.inputs.length / validation.labels.length;
  const order = permutation(randomStream(seed, 'early stopping'), validation.labels.length);
  const indices = order.subarray(0, samples);
  return {
    ...problem,
    validation: {
      ids: Array.from(indices, (index) => validation.ids[index]!),
      inputs: gatherRows(validation.inputs, size, indices),
      labels: indices.map((index) => validation.labels[index]!),
    },
  };
}

async function openScore(problem: Problem, spec: EarlyStoppingSpec, answer: Answer) {
  const { network, validation, minimum, maximum, parameters, seed } = problem;
  const ball = spec.on === 'robust' ? ballOf(parameters, spec) : undefined;
  if (!ball) {
    return {
      of: (theta: Float32Array) => accuracyOf(validation, network.classes, answer(theta)),
      close: async () => undefined,
    };
  }
  const ascent = await openSession(ascentModel(network, ball.norm), { place: 'inline' });
  const search = { ...ball, stepSize: (2.5 * ball.epsilon) / ball.steps };
  return {
    of: (theta: Float32Array) =>
      accuracyOf(validation, network.classes, async (inputs, labels, from) => {
        const weights = { type: 'float', dims: [theta.length], data: theta } as const;
        const start = (values: Float32Array, row: number): void =>
          drawFromBall(
            values,
            ball.norm,
            ball.epsilon,
            randomStream(seed, 'early stopping', validation.ids[from + row]!),
          );
        const range = { minimum, maximum };
        const attacked = await climb(ascent, search, range, network.shape, weights, inputs, labels, start);
        return answer(theta)(attacked.data as Float32Array, labels, from);
      }),
    close: () => ascent.close(),
  };
}
