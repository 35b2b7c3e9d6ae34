import {
  attribute,
  floatTensor,
  type GraphBuilder,
  int64Vector,
} from '../../../../../src/core/onnx/index.js';
import { add, multiply, scalar, scale, subtract } from '../../../../../src/core/onnx/operators/emit.js';
import { type BrokenDefence, defended } from '../defence.js';
import { CLASSES, SIZE } from '../digits.js';

const uniform = (b: GraphBuilder, shape: readonly number[], low = 0, high = 1): string =>
  b.op('RandomUniform', [], {
    shape: attribute.ints(shape),
    low: attribute.float(low),
    high: attribute.float(high),
  })[0];

/** Adds Gaussian noise of some deviation to each value. */
export const noiseOf =
  (deviation: number) =>
  (b: GraphBuilder, x: string): string =>
    add(b, x, b.op('RandomNormalLike', [x], { scale: attribute.float(deviation) })[0]);

/** Answers that are drawn anew for every request, or look as if they were. */
export const randomness: readonly BrokenDefence[] = [
  {
    name: 'random resizing and padding',
    isRandomised: true,
    source:
      'Xie et al., "Mitigating adversarial effects through randomization", ICLR 2018; broken by Athalye et al. 2018',
    caughtBy: 'equal requests get equal answers',
    build: ({ plain }) => defended(plain, { before: resizedAndPadded }),
  },
  {
    name: 'noise at inference',
    isRandomised: true,
    source:
      'He, Rakin, Fan, "Parametric noise injection", CVPR 2019; EOT: Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'equal requests get equal answers',
    build: ({ plain }) => defended(plain, { before: noiseOf(0.15) }),
  },
  {
    name: 'dropout at inference',
    isRandomised: true,
    source:
      'Dhillon et al., "Stochastic activation pruning", ICLR 2018; broken by Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'equal requests get equal answers',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => {
          const always = b.constant({ type: 'bool', dims: [], data: Uint8Array.of(1) }, 'training');
          return b.op('Dropout', [x, scalar(b, 0.2), always])[0];
        },
      }),
  },
  {
    name: 'dithered rounding',
    isRandomised: true,
    source: 'Raff et al., "Barrage of random transforms", CVPR 2019; broken by Sitawarin et al., ICML 2022',
    caughtBy: 'equal requests get equal answers',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => {
          const [noise] = b.op('RandomUniformLike', [x], {
            low: attribute.float(-0.5),
            high: attribute.float(0.5),
          });
          return scale(b, b.op('Round', [add(b, scale(b, x, 4), noise)])[0], 0.25);
        },
      }),
  },
  {
    name: 'mixing in of other samples',
    isRandomised: true,
    source: 'Pang, Xu, Zhu, "Mixup inference", ICLR 2020; broken by Tramèr et al., NeurIPS 2020',
    caughtBy: 'equal requests get equal answers',
    build: ({ plain, train }) =>
      defended(plain, {
        before: (b, x) => {
          const pool = b.constant(
            floatTensor([CLASSES * 4, SIZE], train.inputs.slice(0, CLASSES * 4 * SIZE)),
            'pool',
          );
          const place = scale(b, uniform(b, [1]), CLASSES * 4);
          const [index] = b.op('Cast', [b.op('Floor', [place])[0]], { to: attribute.int(7) });
          const [other] = b.op('Reshape', [
            b.op('Gather', [pool, index])[0],
            b.constant(int64Vector([1, 1, 8, 8]), 'shape'),
          ]);
          return add(b, scale(b, x, 0.8), scale(b, other, 0.2));
        },
      }),
  },
  {
    name: 'noise that the input itself seeds',
    source: 'Gradient shattering by a hash: Athalye, Carlini, Wagner, ICML 2018, section 3',
    caughtBy: 'planted weaknesses are found',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => {
          const [wave] = b.op('Sin', [scale(b, x, 4321)]);
          const large = scale(b, wave, 97);
          const noise = subtract(b, large, b.op('Floor', [large])[0]);
          return add(b, x, scale(b, subtract(b, noise, scalar(b, 0.5)), 0.12));
        },
      }),
  },
];

/** To a square of 8 or 9, put at random into one of 9, and that back to 8. */
function resizedAndPadded(b: GraphBuilder, x: string): string {
  const integers = (value: string): string => b.op('Cast', [value], { to: attribute.int(7) })[0];
  const floor = (value: string): string => b.op('Floor', [value])[0];
  const concat = (...parts: readonly string[]): string =>
    b.op('Concat', parts, { axis: attribute.int(0) })[0];
  const bilinear = {
    mode: attribute.string('linear'),
    coordinate_transformation_mode: attribute.string('half_pixel'),
  };
  const side = add(b, floor(uniform(b, [1], 0, 2)), scalar(b, 8));
  const room = subtract(b, scalar(b, 9), side);
  const [top, left] = [0, 1].map(() => floor(multiply(b, uniform(b, [1]), add(b, room, scalar(b, 1))))) as [
    string,
    string,
  ];
  const [batch] = b.op('Slice', [
    b.op('Shape', [x])[0],
    b.constant(int64Vector([0]), 'from'),
    b.constant(int64Vector([2]), 'to'),
  ]);
  const sizes = concat(batch, integers(side), integers(side));
  const [resized] = b.op('Resize', [x, '', '', sizes], bilinear);
  const none = b.constant(int64Vector([0, 0]), 'none');
  const pads = concat(
    none,
    integers(top),
    integers(left),
    none,
    integers(subtract(b, room, top)),
    integers(subtract(b, room, left)),
  );
  const [padded] = b.op('Pad', [resized, pads]);
  const back = concat(batch, b.constant(int64Vector([8, 8]), 'side'));
  return b.op('Resize', [padded, '', '', back], bilinear)[0];
}
