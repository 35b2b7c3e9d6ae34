import {
  attribute,
  decodeModel,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  type Node,
} from '../../../../../src/core/onnx/index.js';
import {
  add,
  divide,
  floatOf,
  multiply,
  scalar,
  scale,
} from '../../../../../src/core/onnx/operators/emit.js';
import { addNetwork, assembled, type BrokenDefence, defended } from '../defence.js';
import { SIZE } from '../digits.js';
import { LEVELS } from '../networks.js';

/** Values in so many steps: no derivative at all. */
export function rounded(b: GraphBuilder, x: string, steps: number): string {
  return scale(b, b.op('Round', [scale(b, x, steps)])[0], 1 / steps);
}

/** The same as a sum of comparisons, which is differentiable with derivative zero. */
export function roundedByComparison(b: GraphBuilder, x: string, steps: number): string {
  return Array.from({ length: steps }, (_, step) => {
    const [above] = b.op('Greater', [x, scalar(b, (step + 0.5) / steps)]);
    return scale(b, floatOf(b, above), 1 / steps);
  }).reduce((sum, part) => add(b, sum, part));
}

/** Values, activations or frequencies in steps. */
export const rounding: readonly BrokenDefence[] = [
  {
    name: 'input in four steps',
    source: 'Xu, Evans, Qi, "Feature squeezing", NDSS 2018; broken by He et al., WOOT 2017',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) => defended(plain, { before: (b, x) => rounded(b, x, 4) }),
  },
  {
    name: 'thermometer code',
    source:
      'Buckman et al., "Thermometer encoding", ICLR 2018; broken by Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'gradients agree with finite differences',
    build: ({ thermometer }) =>
      assembled((b, x) => {
        const pixels = b.op('Flatten', [x])[0];
        const bits = LEVELS.map((level) => floatOf(b, b.op('Greater', [pixels, scalar(b, level)])[0]));
        return addNetwork(b, thermometer, b.op('Concat', bits, { axis: attribute.int(1) })[0]);
      }),
    surrogate: ({ thermometer }) =>
      assembled((b, x) => {
        const pixels = b.op('Flatten', [x])[0];
        const bits = LEVELS.map((level) => {
          const over = b.op('Sub', [pixels, scalar(b, level)])[0];
          return b.op('Sigmoid', [scale(b, over, 10)])[0];
        });
        return addNetwork(b, thermometer, b.op('Concat', bits, { axis: attribute.int(1) })[0]);
      }),
  },
  {
    name: 'rounded frequencies, as JPEG has them',
    source:
      'Guo et al., "Countering adversarial images", ICLR 2018; broken by Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) => defended(plain, { before: roundedFrequencies }),
  },
  {
    name: 'activations in steps',
    source:
      'Lin, Gan, Han, "Defensive quantization", ICLR 2019; STE attacks: Athalye, Carlini, Wagner, ICML 2018',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) => afterEachRelu(plain, 2),
  },
  {
    name: 'eight-bit input, coarsely scaled',
    source: 'Rounding as QuantizeLinear, which the gate itself attacks by straight-through estimates',
    caughtBy: 'its attacks',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) => {
          const step = scalar(b, 0.25);
          const [levels] = b.op('QuantizeLinear', [x, step, zeroPoint(b)]);
          return b.op('DequantizeLinear', [levels, step, zeroPoint(b)])[0];
        },
      }),
  },
  {
    name: 'smooth staircase',
    source:
      'Rakin et al., "Blind pre-processing", 2018; steep but differentiable, as broken by Athalye et al. 2018',
    caughtBy: 'gradients agree with finite differences',
    build: ({ plain }) =>
      defended(plain, {
        before: (b, x) =>
          [0.125, 0.375, 0.625, 0.875]
            .map((edge) => {
              const over = b.op('Sub', [x, scalar(b, edge)])[0];
              return scale(b, b.op('Sigmoid', [scale(b, over, 400)])[0], 0.25);
            })
            .reduce((sum, part) => add(b, sum, part)),
      }),
  },
];

function zeroPoint(b: GraphBuilder): string {
  return b.constant({ type: 'uint8', dims: [], data: new Uint8Array(1) }, 'zero');
}

/** The cosine transform of the picture, coarser the higher the frequency. */
function roundedFrequencies(b: GraphBuilder, x: string): string {
  const side = Math.sqrt(SIZE);
  const cosines = Array.from({ length: SIZE }, (_, at) => {
    const [k, i] = [Math.floor(at / side), at % side];
    return Math.sqrt((k === 0 ? 1 : 2) / side) * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * side));
  });
  const matrix = b.constant(floatTensor([side, side], cosines), 'cosines');
  const [transposed] = b.op('Transpose', [matrix], { perm: attribute.ints([1, 0]) });
  const table = Array.from({ length: SIZE }, (_, at) => 0.25 + 0.06 * (Math.floor(at / side) + (at % side)));
  const steps = b.constant(floatTensor([side, side], table), 'steps');
  const [frequencies] = b.op('MatMul', [b.op('MatMul', [matrix, x])[0], transposed]);
  const coarse = multiply(b, b.op('Round', [divide(b, frequencies, steps)])[0], steps);
  const [back] = b.op('MatMul', [b.op('MatMul', [transposed, coarse])[0], matrix]);
  return b.op('Clip', [back, scalar(b, 0), scalar(b, 1)])[0];
}

/** A network whose activations are rounded to so many steps a unit. */
function afterEachRelu(network: Uint8Array, steps: number): Uint8Array {
  const model = decodeModel(network);
  const node = (opType: string, inputs: readonly string[], output: string): Node => ({
    name: `${output}/${opType}`,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes: {},
  });
  const nodes = model.graph.nodes.flatMap((each) => {
    if (each.opType !== 'Relu') return [each];
    const [result] = each.outputs as readonly [string];
    return [
      { ...each, outputs: [`${result}/plain`] },
      node('Mul', [`${result}/plain`, 'steps'], `${result}/scaled`),
      node('Round', [`${result}/scaled`], `${result}/rounded`),
      node('Div', [`${result}/rounded`, 'steps'], result),
    ];
  });
  const initializers = { ...model.graph.initializers, steps: floatTensor([], [steps]) };
  return encodeModel({ ...model, graph: { ...model.graph, nodes, initializers } });
}
