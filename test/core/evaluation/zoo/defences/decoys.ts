import {
  attribute,
  floatTensor,
  type GraphBuilder,
  int64Tensor,
  int64Vector,
} from '../../../../../src/core/onnx/index.js';
import {
  add,
  reduceSum,
  scalar,
  scale,
  squared,
  subtract,
  unsqueeze,
  where,
} from '../../../../../src/core/onnx/operators/emit.js';
import { randomStream } from '../../../../../src/core/random/index.js';
import { type BrokenDefence, defended, vote } from '../defence.js';
import { CLASSES, SIZE } from '../digits.js';
import { reconstruction } from './purifiers.js';
import { rounded, roundedByComparison } from './rounding.js';

/** Gradients that are there, and lead nowhere. */
export const decoys: readonly BrokenDefence[] = [
  {
    name: 'rounding beside a faint straight path',
    source:
      'Gradients of a decoy: Athalye, Carlini, Wagner, ICML 2018, section 3; Tramèr et al., NeurIPS 2020',
    caughtBy: 'gradients account for all changes',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => roundedByComparison(b, x, 4),
        after: (b, logits, x) => {
          const weights = Array.from({ length: SIZE * CLASSES }, (_, i) => 0.02 * Math.sin(i * i));
          const matrix = b.constant(floatTensor([SIZE, CLASSES], weights), 'decoy');
          return add(b, logits, b.op('MatMul', [b.op('Flatten', [x])[0], matrix])[0]);
        },
      }),
  },
  {
    name: 'votes beside a decoy network',
    source: 'The same, the decoy as bent as a network: all short differences agree with its gradients',
    caughtBy: 'gradients account for all changes',
    build: ({ plain }) =>
      defended(plain, { after: (b, logits, x) => add(b, vote(b, logits), decoyNetwork(b, x)) }),
  },
  {
    name: 'votes beside the way back',
    source: 'The same, its gradients those of the model, turned round',
    caughtBy: 'gradients account for all changes',
    build: ({ plain }) =>
      defended(plain, { after: (b, logits) => subtract(b, vote(b, logits), scale(b, logits, 0.1)) }),
  },
  {
    name: 'every other pixel in steps',
    source:
      'Half of the gradient is true, which is enough to agree with differences: Tramèr et al., NeurIPS 2020',
    caughtBy: 'gradients account for all changes',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => {
          const odd = Array.from({ length: SIZE }, (_, i) => (Math.floor(i / 8) + i) % 2);
          const mask = b.constant({ type: 'bool', dims: [1, 1, 8, 8], data: Uint8Array.from(odd) }, 'odd');
          return where(b, mask, roundedByComparison(b, x, 40), x);
        },
      }),
  },
  {
    name: 'ripples',
    source: 'Shattered gradients: a true derivative of something else; Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'planted weaknesses are found',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => add(b, x, scale(b, b.op('Sin', [scale(b, x, 2000)])[0], 0.01)),
      }),
  },
  {
    name: 'faint ripples',
    source: 'The same, of a hundredth of the height and ten times as many',
    caughtBy: 'planted weaknesses are found',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => add(b, x, scale(b, b.op('Sin', [scale(b, x, 20_000)])[0], 0.0005)),
      }),
  },
  {
    name: 'gradients that are no numbers',
    source: 'Exploding gradients: Athalye, Carlini, Wagner, ICML 2018, section 3',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) =>
      defended(plain, {
        after: (b, logits, x) => {
          const nothing = squared(b, scale(b, b.op('Flatten', [x])[0], 0));
          const root = b.op('Sqrt', [reduceSum(b, nothing, [1], true)])[0];
          return add(b, logits, root);
        },
      }),
  },
  {
    name: 'no numbers far from the data',
    source: 'A detector that fails instead of answering; what is no number counts as a wrong answer',
    caughtBy: 'its attacks',
    build: (parts) =>
      defended(parts.plain, {
        after: (b, logits, x) => {
          const error = squared(b, subtract(b, x, reconstruction(parts, 16)(b, x)));
          const total = reduceSum(b, b.op('Flatten', [error])[0], [1], true);
          const [log] = b.op('Log', [subtract(b, scalar(b, 1.2), total)]);
          return add(b, logits, scale(b, log, 0));
        },
      }),
  },
  {
    name: 'answers looked up near known samples',
    source: 'A memory in front of the model, flat around each of the very samples that it is tested on',
    caughtBy: 'gradients do what black boxes do',
    build: ({ plain, test }) =>
      defended(plain, {
        after: (b, logits, x) => {
          const known = b.constant(floatTensor([test.ids.length, SIZE], test.inputs), 'known');
          const apart = subtract(b, unsqueeze(b, b.op('Flatten', [x])[0], [1]), known);
          const distances = reduceSum(b, squared(b, apart), [2], false);
          const [least, place] = b.op(
            'TopK',
            [distances, b.constant(int64Vector([1]), 'k')],
            { axis: attribute.int(1), largest: attribute.int(0) },
            2,
          );
          const labels = b.constant(int64Tensor([test.ids.length], [...test.labels]), 'labels');
          const values = b.constant(floatTensor([2], [0, 20]), 'values');
          const depth = b.constant(int64Vector([CLASSES]), 'depth');
          const [remembered] = b.op('OneHot', [b.op('Gather', [labels, place])[0], depth, values]);
          const shape = b.constant(int64Vector([-1, CLASSES]), 'shape');
          const isNear = b.op('Less', [least, scalar(b, NEAR ** 2)])[0];
          return where(b, isNear, b.op('Reshape', [remembered, shape])[0], logits);
        },
      }),
  },
  {
    name: 'another model for batches',
    source: 'Tests in batches, service alone: what is attacked is not what is served',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => {
          const [rows] = b.op('Gather', [b.op('Shape', [x])[0], b.constant(int64Tensor([], [0]), 'first')]);
          const isAlone = b.op('Equal', [rows, b.constant(int64Tensor([], [1]), 'one')])[0];
          const coarse = rounded(b, x, 16);
          return where(b, isAlone, x, coarse);
        },
      }),
  },
];

/** A random network of little weight. */
function decoyNetwork(b: GraphBuilder, x: string): string {
  const stream = randomStream(4, 'decoy');
  const dense = (input: string, from: number, to: number, size: number): string => {
    const weights = Array.from({ length: from * to }, () => (size * stream.normal()) / Math.sqrt(from));
    return b.op('MatMul', [input, b.constant(floatTensor([from, to], weights), 'decoy')])[0];
  };
  const hidden = b.op('Tanh', [dense(b.op('Flatten', [x])[0], SIZE, 32, 2)])[0];
  return dense(hidden, 32, CLASSES, 3);
}

/** Further than a random start in a ball of 0.15 lies from its middle, and nearer than the corners of the ball. */
const NEAR = 0.85;
