import { attribute, floatTensor, type GraphBuilder } from '../../../../../src/core/onnx/index.js';
import { scalar, scale } from '../../../../../src/core/onnx/operators/emit.js';
import { type BrokenDefence, defended } from '../defence.js';
import { CLASSES } from '../digits.js';

const BITS = 16;

const softmax = (b: GraphBuilder, logits: string, factor: number): string =>
  b.op('Softmax', [scale(b, logits, factor)], { axis: attribute.int(1) })[0];

/** Answers in units in which float32 loses the gradient. */
export const saturation: readonly BrokenDefence[] = [
  {
    name: 'saturated softmax',
    source: 'Papernot et al., "Distillation as a defense", S&P 2016; broken by Carlini, Wagner, S&P 2017',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) => defended(plain, { after: (b, logits) => softmax(b, logits, 1e5) }),
  },
  {
    name: 'distilled logits',
    source: 'The same, with the softmax left to the client',
    caughtBy: 'its attacks',
    build: ({ plain }) => defended(plain, { after: (b, logits) => scale(b, logits, 1e4) }),
  },
  {
    name: 'saturated and clipped probabilities',
    source: 'The same, with a floor under the probabilities, so that no softmax ends the file',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) =>
      defended(plain, {
        after: (b, logits) =>
          b.op('Clip', [softmax(b, logits, 1e3), scalar(b, 1e-7), scalar(b, 1 - 1e-7)])[0],
      }),
  },
  {
    name: 'tiny logits',
    source: 'Pintor et al., "Indicators of attack failure", NeurIPS 2022, section 3: vanishing gradients',
    caughtBy: 'its attacks',
    build: ({ plain }) => defended(plain, { after: (b, logits) => scale(b, logits, 1e-30) }),
  },
  {
    name: 'subnormal logits',
    source: 'The same, where float32 has two digits left',
    caughtBy: 'its attacks',
    build: ({ plain }) => defended(plain, { after: (b, logits) => scale(b, logits, 1e-42) }),
  },
  {
    name: 'error-correcting codes',
    source:
      'Verma, Swami, "Error correcting output codes", NeurIPS 2019; broken by Tramèr et al., NeurIPS 2020',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) => defended(plain, { after: codes }),
  },
];

/** Bits of a code word a class, saturated, and how well they agree with each word. */
function codes(b: GraphBuilder, logits: string): string {
  // Sylvester's Hadamard matrix: words differ in half of their bits.
  const words = Array.from({ length: CLASSES * BITS }, (_, at) => {
    const common = (Math.floor(at / BITS) + 1) & (at % BITS);
    return common.toString(2).replaceAll('0', '').length % 2 === 0 ? 1 : -1;
  });
  const matrix = b.constant(floatTensor([CLASSES, BITS], words), 'words');
  const [mixed] = b.op('MatMul', [softmax(b, logits, 1), matrix]);
  const [bits] = b.op('Tanh', [scale(b, mixed, 1e3)]);
  const [transposed] = b.op('Transpose', [matrix], { perm: attribute.ints([1, 0]) });
  return b.op('MatMul', [bits, transposed])[0];
}
