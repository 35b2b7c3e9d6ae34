import {
  attribute,
  floatTensor,
  type GraphBuilder,
  int64Vector,
} from '../../../../../src/core/onnx/index.js';
import { add, scalar, scale, subtract } from '../../../../../src/core/onnx/operators/emit.js';
import { type BrokenDefence, defended, type Parts } from '../defence.js';
import { SIZE } from '../digits.js';
import { principalComponents } from '../principal-components.js';
import { rounded } from './rounding.js';

/** The picture as its first principal components tell it. */
export function reconstruction({ train }: Parts, components: number): (b: GraphBuilder, x: string) => string {
  const { mean, projection } = principalComponents(train, components);
  return (b, x) => {
    const middle = b.constant(floatTensor([SIZE], mean), 'mean');
    const matrix = b.constant(floatTensor([SIZE, SIZE], projection), 'components');
    const [projected] = b.op('MatMul', [subtract(b, b.op('Flatten', [x])[0], middle), matrix]);
    const flat = add(b, projected, middle);
    const shape = b.constant(int64Vector([-1, 1, 8, 8]), 'shape');
    return b.op('Clip', [b.op('Reshape', [flat, shape])[0], scalar(b, 0), scalar(b, 1)])[0];
  };
}

/** The picture is cleaned before it is looked at. */
export const purifiers: readonly BrokenDefence[] = [
  {
    name: 'reconstruction',
    source: 'Meng, Chen, "MagNet", CCS 2017 (reformer); broken by Carlini, Wagner, 2017',
    caughtBy: 'its attacks',
    build: (parts) => defended(parts.plain, { before: reconstruction(parts, 20) }),
    surrogate: (parts) => defended(parts.plain, { before: reconstruction(parts, 20) }),
  },
  {
    name: 'reconstruction, again and again',
    source:
      'Samangouei, Kabkab, Chellappa, "Defense-GAN", ICLR 2018; broken by Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'its attacks',
    build: reconstructedAgain,
    // The surrogate is the defence itself: its gradients are bad, not gone.
    surrogate: reconstructedAgain,
  },
  {
    name: 'median of neighbours',
    source: 'Xu, Evans, Qi, "Feature squeezing", NDSS 2018; broken by He et al., WOOT 2017',
    caughtBy: 'its attacks',
    build: ({ plain }) => defended(plain, { before: median }),
    surrogate: ({ plain }) => defended(plain, { before: median }),
  },
  {
    name: 'median of neighbours, rounded',
    source: 'The same, squeezers joined',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) => defended(plain, { before: (b, x) => rounded(b, median(b, x), 5) }),
    surrogate: ({ plain }) => defended(plain, { before: median }),
  },
  {
    name: 'bistable pixels',
    source: 'Buckman et al. 2018 and Athalye et al. 2018: exploding and vanishing gradients',
    caughtBy: 'its attacks',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => [1, 2, 3].reduce((value) => sharpened(b, value, 12), scale(b, x, 4)),
      }),
    surrogate: ({ plain }) => defended(plain, { before: (b, x) => sharpened(b, scale(b, x, 4), 4) }),
  },
];

function reconstructedAgain(parts: Parts): Uint8Array {
  const reconstruct = reconstruction(parts, 20);
  return defended(parts.plain, {
    before: (b, x) => {
      let clean = x;
      // Each round pulls towards what has been learned, then sharpens: gradients vanish in one place and explode in another.
      for (let round = 0; round < 6; round++) clean = sharpened(b, reconstruct(b, clean), 6);
      return clean;
    },
  });
}

const sharpened = (b: GraphBuilder, x: string, steepness: number): string =>
  b.op('Sigmoid', [scale(b, subtract(b, x, scalar(b, 0.5)), steepness)])[0];

/** Of each pixel and its four neighbours, the one in the middle. */
function median(b: GraphBuilder, x: string): string {
  const padded = b.op('Pad', [x, b.constant(int64Vector([0, 0, 1, 1, 0, 0, 1, 1]), 'pads')], {
    mode: attribute.string('edge'),
  })[0];
  const windows = [
    [1, 1],
    [0, 1],
    [2, 1],
    [1, 0],
    [1, 2],
  ].map(
    ([top, left]) =>
      b.op('Slice', [
        padded,
        b.constant(int64Vector([top!, left!]), 'from'),
        b.constant(int64Vector([top! + 8, left! + 8]), 'to'),
        b.constant(int64Vector([2, 3]), 'axes'),
      ])[0],
  );
  const stacked = b.op('Concat', windows, { axis: attribute.int(1) })[0];
  const [largest] = b.op('TopK', [stacked, b.constant(int64Vector([3]), 'k')], { axis: attribute.int(1) }, 2);
  return b.op('Slice', [
    largest,
    b.constant(int64Vector([2]), 'from'),
    b.constant(int64Vector([3]), 'to'),
    b.constant(int64Vector([1]), 'axes'),
  ])[0];
}
