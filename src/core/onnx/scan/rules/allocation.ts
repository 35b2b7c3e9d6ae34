import { RefusedError } from '../../../errors/index.js';
import { decodeModel } from '../../decode.js';
import { inferFacts } from '../../infer-facts.js';
import type { Fact } from '../../operators/operator.js';
import { type Constants, constantsOf } from '../constants.js';
import { modelRule } from '../rule.js';
import type { NodeView } from '../view.js';
import { bytesOf } from './tensors.js';

/** Elements that an operator makes at least, from constants alone; `undefined` where inputs decide. */
type LeastElements = (node: NodeView, constants: Constants) => bigint | undefined;

const productOf = (lengths: readonly bigint[] | undefined): bigint | undefined =>
  // A zero or −1 stands for a length that is taken from elsewhere; an empty value is no danger.
  lengths?.reduce((product, length) => product * (length > 1n ? length : 1n), 1n);
const input =
  (i: number): LeastElements =>
  (node, { integers }) =>
    productOf(integers(node.inputs[i]));
const shapeAttribute: LeastElements = ({ attributes }) =>
  productOf(attributes.find(({ name }) => name === 'shape')?.integers);

const leastElements: Readonly<Record<string, LeastElements>> = {
  ConstantOfShape: input(0),
  Expand: input(1),
  Tile: input(1),
  Resize: input(3),
  OneHot: input(1),
  HannWindow: input(0),
  HammingWindow: input(0),
  BlackmanWindow: input(0),
  DFT: input(1),
  AffineGrid: input(1),
  RandomNormal: shapeAttribute,
  RandomUniform: shapeAttribute,
  Pad: ({ inputs, attributes }, { integers }) => {
    const pads = integers(inputs[1]) ?? attributes.find(({ name }) => name === 'pads')?.integers;
    if (!pads) return undefined;
    const half = pads.length / 2;
    return productOf(pads.slice(0, half).map((before, i) => before + pads[half + i]! + 1n));
  },
  Range: ({ inputs: [start, limit, step] }, { integers }) => {
    const [from, to, by] = [integers(start)?.[0] ?? 0n, integers(limit)?.[0], integers(step)?.[0] ?? 1n];
    return to === undefined || by === 0n ? undefined : (to - from) / by;
  },
};

export const constantAllocation = modelRule({
  id: 'ASSAY-ONNX-060',
  name: 'constant-allocation',
  level: 'error',
  summary: 'What operators make of constants alone takes a limited amount of memory.',
  advice: 'Such a model fills the memory of whoever loads it. Do not load it; ask where it comes from.',
  *check(model, { limits }) {
    const constants = constantsOf(model);
    let total = 0n;
    for (const node of model.nodes) {
      const elements = leastElements[node.opType]?.(node, constants);
      if (elements === undefined || elements <= 0n) continue;
      const made = node.attributes.find(({ name }) => name === 'value')?.tensor?.type;
      const size = elements * BigInt(bytesOf(made ?? 1));
      total += size;
      if (size > BigInt(limits.constantBytes)) {
        const { where, offset } = node;
        yield { where, offset, message: `expected at most ${limits.constantBytes} bytes, got ${size}` };
      }
    }
    if (total > BigInt(limits.constantBytes)) {
      const message = `expected at most ${limits.constantBytes} bytes made of constants in all, got ${total}`;
      yield { where: 'graph', message };
    }
  },
});

export const valueSize = modelRule({
  id: 'ASSAY-ONNX-061',
  name: 'value-size',
  level: 'error',
  summary: 'No value between the nodes is larger than a limit, for one sample where the batch is open.',
  advice: 'Export a smaller model, or raise the limit if it is yours.',
  *check(_, { bytes, limits }) {
    const facts = new Map<string, Fact>();
    try {
      const { graph, opset } = decodeModel(bytes);
      inferFacts(graph, opset, facts);
    } catch (error) {
      // What cannot be foretold is held to its limits when it is loaded, in a process of its own.
      if (!(error instanceof RefusedError)) throw error;
    }
    for (const [name, { dims }] of facts) {
      const elements = dims.reduce<number>(
        (product, axis) => product * (typeof axis === 'number' ? axis : 1),
        1,
      );
      if (elements * 4 > limits.valueBytes) {
        const got = `${elements * 4} bytes for shape [${dims.join(', ')}]`;
        yield { where: `value ${name}`, message: `expected at most ${limits.valueBytes} bytes, got ${got}` };
      }
    }
  },
});
