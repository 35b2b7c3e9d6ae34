import { attribute, type GraphBuilder } from './graph-builder.js';
import type { Graph } from './model.js';
import { fixed } from './operators/axes.js';
import { add, transpose, unsqueeze, vector } from './operators/emit.js';
import type { Application } from './operators/operator.js';
import { activationsOf, type Cell, type CellState, cells } from './recurrent-cells.js';
import { replaceNodes } from './replace-node.js';
import { int64Tensor } from './tensor.js';

/** Longer sequences would make graphs that take minutes to load. */
const maxSteps = 1024;

/**
 * Writes LSTM, GRU and RNN nodes out step by step, in operators that can be differentiated.
 *
 * @throws RefusedError `operator-unsupported` naming the node where the length of the sequence is not fixed, or where it
 *   uses what few models do: peepholes, sequences of different lengths, clipping, other activations
 */
export function unrollRecurrent(graph: Graph, opset: number): Graph {
  return replaceNodes(graph, opset, ({ opType }) => Object.hasOwn(cells, opType), unroll);
}

/** A sequence in one direction: its outputs [N, H] in the order of time, and the state after the last step. */
interface Pass {
  readonly steps: readonly string[];
  readonly last: CellState;
}

function unroll(at: Application, b: GraphBuilder): readonly string[] {
  const cell = cells[at.node.opType]!;
  const directions = directionsOf(at);
  refuseTheUnusual(at, cell, directions.length);
  const passes = directions.map((isReverse, d) => pass(at, b, cell, isReverse, d));
  const side = (values: readonly string[], axis: number): string =>
    values.length === 1 ? values[0]! : b.op('Concat', values, { axis: attribute.int(axis) })[0];
  const states = (key: keyof CellState): string =>
    side(
      passes.map(({ last }) => unsqueeze(b, last[key]!, [0])),
      0,
    );
  const sequence = (): string =>
    side(
      passes.map(({ steps }) =>
        side(
          steps.map((step) => unsqueeze(b, step, [0, 1])),
          0,
        ),
      ),
      1,
    );
  const writers = [sequence, () => states('hidden'), () => states('memory')];
  return at.node.outputs.map((name, i) => (name ? writers[i]!() : ''));
}

function pass(at: Application, b: GraphBuilder, cell: Cell, isReverse: boolean, d: number): Pass {
  const [x, w, r] = at.node.inputs as readonly [string, string, string];
  const [count] = fixed(at, [at.fact(0).dims[0]!]);
  const hidden = hiddenSize(at);
  const ofDirection = (value: string): string =>
    b.op('Gather', [value, b.constant(int64Tensor([], [d]), 'direction')], { axis: attribute.int(0) })[0];
  const bias = at.has(3) ? split(b, ofDirection(at.node.inputs[3]!), 0, 2, cell.gates * hidden) : undefined;
  const weighted = b.op('MatMul', [x, transpose(b, ofDirection(w), [1, 0])])[0];
  const shares = split(b, bias ? add(b, weighted, bias[0]!) : weighted, 0, count!, 1).map((share) =>
    squeeze(b, share),
  );
  const recurrent = transpose(b, ofDirection(r), [1, 0]);
  const initial = (i: number): string => (at.has(i) ? ofDirection(at.node.inputs[i]!) : zeros(at, b, hidden));
  let state: CellState = {
    hidden: initial(5),
    ...(cell.hasMemory && { memory: initial(6) }),
  };
  const step = cell.step(at, b, {
    recurrent,
    bias: bias?.[1],
    gatesOf: (value, from, gates) => {
      const [part] = b.op('Slice', [
        value,
        vector(b, [from * hidden]),
        vector(b, [(from + gates) * hidden]),
        vector(b, [-1]),
      ]);
      return part;
    },
  });
  const steps: string[] = [];
  for (const share of isReverse ? shares.toReversed() : shares) {
    state = step(share, state);
    steps.push(state.hidden);
  }
  return { steps: isReverse ? steps.reverse() : steps, last: state };
}

/** Whether each direction runs from the end. */
function directionsOf(at: Application): readonly boolean[] {
  const direction = at.string('direction', 'forward');
  switch (direction) {
    case 'forward':
      return [false];
    case 'reverse':
      return [true];
    case 'bidirectional':
      return [false, true];
    default:
      return at.refuse(`direction ${direction} is not known`);
  }
}

function hiddenSize(at: Application): number {
  const [size] = fixed(at, [at.fact(2).dims[2] ?? at.refuse('expected recurrent weights of three axes')]);
  return size!;
}

function refuseTheUnusual(at: Application, { activations }: Cell, directions: number): void {
  const [length] = at.fact(0).dims;
  if (typeof length !== 'number') {
    at.refuse(`the sequence has no fixed length, but ${length ?? 'none at all'}: it cannot be unrolled`);
  }
  if (Number(length) < 1 || Number(length) > maxSteps) {
    at.refuse(`expected 1 to ${maxSteps} steps, got ${length}`);
  }
  if (at.int('layout', 0) !== 0) at.refuse('a layout with the batch first is not supported');
  if (at.has(4)) at.refuse('sequences of different lengths are not supported');
  if (at.has(7)) at.refuse('peepholes are not supported');
  if (at.int('input_forget', 0) !== 0) at.refuse('coupled gates are not supported');
  if (at.float('clip', 0) !== 0) at.refuse('clipping is not supported');
  const given = activationsOf(at)?.map((name) => name.toLowerCase());
  const known = activations.map((names) => Array(directions).fill(names).flat().join().toLowerCase());
  if (given && !known.includes(given.join())) at.refuse(`activations ${given.join(', ')} are not supported`);
}

/** Equal parts of a value along an axis. */
function split(
  b: GraphBuilder,
  value: string,
  axis: number,
  count: number,
  length: number,
): readonly string[] {
  if (count === 1) return [value];
  const lengths = Array<number>(count).fill(length);
  const along = { axis: attribute.int(axis) };
  return b.opset >= 13
    ? b.op('Split', [value, vector(b, lengths)], along, count as number)
    : b.op('Split', [value], { ...along, split: attribute.ints(lengths) }, count as number);
}

/** Without its first axis, of length 1. */
const squeeze = (b: GraphBuilder, value: string): string =>
  b.opset >= 13
    ? b.op('Squeeze', [value, vector(b, [0])])[0]
    : b.op('Squeeze', [value], { axes: attribute.ints([0]) })[0];

/** The state before the first step, where none is given: [N, H]. */
function zeros(at: Application, b: GraphBuilder, hidden: number): string {
  const [shape] = b.op('Shape', [at.node.inputs[0]!]);
  const batch = b.op('Slice', [shape, vector(b, [1]), vector(b, [2])])[0];
  const [dims] = b.op('Concat', [batch, vector(b, [hidden])], { axis: attribute.int(0) });
  return b.op('ConstantOfShape', [dims])[0];
}
