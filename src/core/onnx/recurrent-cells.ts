import type { GraphBuilder } from './graph-builder.js';
import { add, multiply, scalar, subtract } from './operators/emit.js';
import type { Application } from './operators/operator.js';

/** What a recurrent cell hands from step to step, [N, H] each. */
export interface CellState {
  readonly hidden: string;
  /** Of an LSTM alone. */
  readonly memory?: string;
}

/** Weights of one direction. */
export interface CellWeights {
  /** [H, gates·H]. */
  readonly recurrent: string;
  /** [gates·H], of the recurrent product; left out where there is none. */
  readonly bias: string | undefined;
  /** Columns of `gates` gates, beginning with gate `from`. */
  gatesOf(value: string, from: number, gates: number): string;
}

/** A kind of recurrent node: what it does in one step. */
export interface Cell {
  readonly gates: number;
  readonly hasMemory: boolean;
  /** Names of its activations for one direction, of which the first is meant where none are given. */
  readonly activations: readonly (readonly string[])[];
  /**
   * @param weighted - what the step's input adds to the gates [N, gates·H], its bias included
   * @returns writes one step
   */
  step(
    at: Application,
    b: GraphBuilder,
    weights: CellWeights,
  ): (weighted: string, state: CellState) => CellState;
}

const sigmoid = (b: GraphBuilder, x: string): string => b.op('Sigmoid', [x])[0];
const tanh = (b: GraphBuilder, x: string): string => b.op('Tanh', [x])[0];

/** State times recurrent weights, with the bias. */
const product = (b: GraphBuilder, hidden: string, recurrent: string, bias: string | undefined): string => {
  const [result] = b.op('MatMul', [hidden, recurrent]);
  return bias === undefined ? result : add(b, result, bias);
};

/** H = f(x·Wᵀ + H·Rᵀ + b). */
const rnn: Cell = {
  gates: 1,
  hasMemory: false,
  activations: [['Tanh'], ['Relu']],
  step: (at, b, { recurrent, bias }) => {
    const activation = activationsOf(at)?.[0]?.toLowerCase() === 'relu' ? 'Relu' : 'Tanh';
    return (weighted, { hidden }) => ({
      hidden: b.op(activation, [add(b, weighted, product(b, hidden, recurrent, bias))])[0],
    });
  },
};

/** Gates in the order of ONNX: input, output, forget, cell. */
const lstm: Cell = {
  gates: 4,
  hasMemory: true,
  activations: [['Sigmoid', 'Tanh', 'Tanh']],
  step:
    (_, b, { recurrent, bias, gatesOf }) =>
    (weighted, { hidden, memory }) => {
      const sums = add(b, weighted, product(b, hidden, recurrent, bias));
      const open = sigmoid(b, gatesOf(sums, 0, 3));
      const candidate = tanh(b, gatesOf(sums, 3, 1));
      const kept = multiply(b, gatesOf(open, 2, 1), memory!);
      const next = add(b, kept, multiply(b, gatesOf(open, 0, 1), candidate));
      return { hidden: multiply(b, gatesOf(open, 1, 1), tanh(b, next)), memory: next };
    },
};

/** Gates in the order of ONNX: update, reset, hidden. */
const gru: Cell = {
  gates: 3,
  hasMemory: false,
  activations: [['Sigmoid', 'Tanh']],
  step: (at, b, { recurrent, bias, gatesOf }) => {
    const resetsProduct = at.int('linear_before_reset', 0) !== 0;
    const part = (from: number, count: number): readonly [string, string | undefined] => [
      gatesOf(recurrent, from, count),
      bias === undefined ? undefined : gatesOf(bias, from, count),
    ];
    const ofGates = part(0, 2);
    const ofCandidate = part(2, 1);
    const one = scalar(b, 1);
    return (weighted, { hidden }) => {
      const open = sigmoid(b, add(b, gatesOf(weighted, 0, 2), product(b, hidden, ...ofGates)));
      const update = gatesOf(open, 0, 1);
      const reset = gatesOf(open, 1, 1);
      const carried = resetsProduct
        ? multiply(b, reset, product(b, hidden, ...ofCandidate))
        : product(b, multiply(b, reset, hidden), ...ofCandidate);
      const candidate = tanh(b, add(b, gatesOf(weighted, 2, 1), carried));
      const fresh = multiply(b, subtract(b, one, update), candidate);
      return { hidden: add(b, fresh, multiply(b, update, hidden)) };
    };
  },
};

/** Recurrent operators by name. */
export const cells: Readonly<Record<string, Cell>> = { GRU: gru, LSTM: lstm, RNN: rnn };

/** Names of activations, as the node gives them. */
export function activationsOf({ node }: Application): readonly string[] | undefined {
  const { activations } = node.attributes;
  return activations?.kind === 'strings' ? activations.value : undefined;
}
