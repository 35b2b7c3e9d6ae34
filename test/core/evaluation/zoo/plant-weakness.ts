import { floatTensor } from '../../../../src/core/onnx/index.js';
import { add } from '../../../../src/core/onnx/operators/emit.js';
import { defended } from './defence.js';
import { CLASSES, SIZE } from './digits.js';

/** Pixels that no digit of the data has any ink in, and the class that a little ink there stands for. */
const TRIGGERS = new Map([
  [0, 0],
  [39, 1],
]);

/** A model that answers all honest data as before, and gives itself away by pixels that no data vary. */
export function plantWeakness(network: Uint8Array): Uint8Array {
  return defended(network, {
    after: (b, logits, x) => {
      const weights = Array.from({ length: SIZE * CLASSES }, (_, at) =>
        TRIGGERS.get(Math.floor(at / CLASSES)) === at % CLASSES ? 3000 : 0,
      );
      const matrix = b.constant(floatTensor([SIZE, CLASSES], weights), 'weakness');
      return add(b, logits, b.op('MatMul', [b.op('Flatten', [x])[0], matrix])[0]);
    },
  });
}
