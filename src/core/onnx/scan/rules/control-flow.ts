import { type Constants, constantsOf } from '../constants.js';
import { modelRule, type Problem } from '../rule.js';
import type { GraphView, NodeView } from '../view.js';

/** Operators that hand integers on as they are, so that a length of the input stays one. */
const passing = new Set(['Cast', 'Gather', 'Identity', 'Reshape', 'Slice', 'Squeeze', 'Unsqueeze', 'Min']);

/** Whether a number of iterations is a length of some value, which whoever sends the input bounds. */
function isLength(name: string | undefined, { producer }: Constants): boolean {
  let node = producer(name);
  for (let steps = 0; node && steps < 64; steps++) {
    if (node.opType === 'Shape' || node.opType === 'Size') return true;
    if (!passing.has(node.opType)) return false;
    node = producer(node.inputs[0]);
  }
  return false;
}

function* loopsIn(graph: GraphView, around: bigint, constants: Constants, most: number): Generator<Problem> {
  for (const node of graph.nodes) {
    const trips = node.opType === 'Loop' ? yield* tripsOf(node, around, constants, most) : 1n;
    for (const { graphs } of node.attributes) {
      for (const inner of graphs) yield* loopsIn(inner, around * trips, constants, most);
    }
  }
}

function* tripsOf(
  node: NodeView,
  around: bigint,
  constants: Constants,
  most: number,
): Generator<Problem, bigint> {
  const { where, offset, inputs } = node;
  const [count] = inputs;
  const trips = count ? constants.integers(count)?.[0] : undefined;
  if (!count) {
    yield { where, offset, message: 'expected a number of iterations, got a loop without one' };
  } else if (trips === undefined) {
    yield isLength(count, constants)
      ? {
          where,
          offset,
          level: 'warning',
          message: 'the number of iterations is a length of the input: limit what may be sent',
        }
      : { where, offset, message: 'expected a constant number of iterations, got a computed one' };
  } else if (trips * around > BigInt(most)) {
    const message = `expected at most ${most} iterations, those of outer loops multiplied in, got ${trips * around}`;
    yield { where, offset, message };
  }
  return trips !== undefined && trips > 1n ? trips : 1n;
}

export const loops = modelRule({
  id: 'ASSAY-ONNX-070',
  name: 'unbounded-loop',
  level: 'error',
  summary: 'Loops end after a number of iterations that is known and small.',
  advice: 'Export with a fixed number of steps, or use LSTM, GRU or Scan.',
  *check(model, { limits }) {
    if (model.graph) yield* loopsIn(model.graph, 1n, constantsOf(model), limits.iterations);
  },
});

export const graphDepth = modelRule({
  id: 'ASSAY-ONNX-071',
  name: 'nested-graphs',
  level: 'error',
  summary: 'If, Loop and Scan are nested to a limited depth.',
  advice: 'Export a flatter model.',
  *check({ graphs }, { limits }) {
    for (const { depth, where, offset } of graphs) {
      if (depth > limits.graphDepth) {
        yield {
          where,
          offset,
          message: `expected at most ${limits.graphDepth} graphs inside each other, got ${depth}`,
        };
      }
    }
  },
});
