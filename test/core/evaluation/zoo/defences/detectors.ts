import { attribute, type GraphBuilder } from '../../../../../src/core/onnx/index.js';
import {
  add,
  reduceSum,
  scalar,
  scale,
  squared,
  subtract,
  where,
} from '../../../../../src/core/onnx/operators/emit.js';
import { addNetwork, assembled, type BrokenDefence, type Parts, vote } from '../defence.js';
import { CLASSES } from '../digits.js';
import { reconstruction } from './purifiers.js';
import { rounded } from './rounding.js';

const probabilities = (b: GraphBuilder, logits: string): string =>
  b.op('Softmax', [logits], { axis: attribute.int(1) })[0];

/** Whether the model changes its mind when the picture is squeezed, [N, 1]. */
function changesItsMind(b: GraphBuilder, logits: string, squeezed: string, limit: number): string {
  const difference = subtract(b, probabilities(b, logits), probabilities(b, squeezed));
  const distance = reduceSum(b, b.op('Abs', [difference])[0], [1], true);
  return b.op('Greater', [distance, scalar(b, limit)])[0];
}

/** Something looks at the picture first, and answers in the place of the model where it looks wrong. */
export const detectors: readonly BrokenDefence[] = [
  {
    name: 'detector with a class for rejects',
    source: 'Xu, Evans, Qi, "Feature squeezing", NDSS 2018; broken by He et al., WOOT 2017',
    caughtBy: 'its attacks',
    classes: CLASSES + 1,
    build: ({ plain }) =>
      assembled((b, x) => {
        const logits = addNetwork(b, plain, x);
        const squeezed = addNetwork(b, plain, rounded(b, x, 5));
        const isUnusual = changesItsMind(b, logits, squeezed, 1.2);
        const top = b.op('ReduceMax', [logits], { axes: attribute.ints([1]) })[0];
        const reject = add(b, top, where(b, isUnusual, scalar(b, 5), scalar(b, -20)));
        return b.op('Concat', [logits, reject], { axis: attribute.int(1) })[0];
      }, CLASSES + 1),
  },
  {
    name: 'detector that asks a cleaner',
    source: 'Meng, Chen, "MagNet", CCS 2017; broken by Carlini, Wagner, 2017',
    caughtBy: 'planted weaknesses are found',
    build: (parts) =>
      assembled((b, x) => {
        const clean = reconstruction(parts, 16)(b, x);
        const error = reduceSum(b, b.op('Flatten', [squared(b, subtract(b, x, clean))])[0], [1], true);
        const isUnusual = b.op('Greater', [error, scalar(b, 1.2)])[0];
        const answer = vote(b, addNetwork(b, parts.plain, clean));
        return where(b, isUnusual, answer, addNetwork(b, parts.plain, x));
      }),
    surrogate: withReconstruction,
  },
  {
    name: 'detector that answers flatly',
    source:
      'Logits replaced where the model is unsure: Carlini, Wagner, "Adversarial examples are not easily detected", 2017',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) =>
      assembled((b, x) => {
        const logits = addNetwork(b, plain, x);
        const squeezed = addNetwork(b, plain, rounded(b, x, 5));
        const isUnusual = changesItsMind(b, logits, squeezed, 0.02);
        return where(b, isUnusual, vote(b, squeezed), scale(b, vote(b, logits), 2));
      }),
  },
];

function withReconstruction(parts: Parts): Uint8Array {
  return assembled((b, x) => {
    const both = [x, reconstruction(parts, 16)(b, x)].map((picture) => addNetwork(b, parts.plain, picture));
    return scale(b, add(b, both[0]!, both[1]!), 0.5);
  });
}
