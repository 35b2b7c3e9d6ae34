import { readFileSync } from 'node:fs';
import type { Samples } from '../../../../src/core/attacks/index.js';
import {
  attribute,
  encodeModel,
  floatTensor,
  graphBuilder,
  int64Vector,
} from '../../../../src/core/onnx/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import type { Parts } from './defence.js';
import { CLASSES, type Digits, SHAPE, SIZE } from './digits.js';
import { type Recipe, trainDigits } from './train-digits.js';
import { twins } from './twins.js';

/** Inner edges of the levels of thermometer codes. */
export const LEVELS = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85] as const;
/** Hidden units, and how many of them speak. */
const UNITS = 128;
const WINNERS = 16;

/** A network that is trained for the zoo, and how. */
export interface Trained extends Recipe {
  readonly name: string;
  train(digits: Digits): Promise<Uint8Array>;
}

const plain: Recipe = {
  seed: 7,
  parameters: {
    network: { kind: 'cnn', channels: [8, 12], stride: [2, 2], hidden: [24] },
    epochs: 25,
    batchSize: 32,
    learningRate: 0.004,
  },
};
const thermometer: Recipe = {
  seed: 8,
  parameters: { network: { kind: 'mlp', hidden: [16] }, epochs: 15, batchSize: 32 },
};
const winners: Recipe = {
  seed: 9,
  parameters: {
    network: { kind: 'onnx', file: 'winners.onnx' },
    epochs: 25,
    batchSize: 32,
    learningRate: 0.004,
  },
};

/** What broken defences are built of, and the clean twins: all that lies in `fixtures`. */
export const networks: readonly Trained[] = [
  { name: 'plain', ...plain, train: (digits) => trainDigits(plain, digits) },
  {
    name: 'thermometer',
    ...thermometer,
    train: ({ train, validation }) =>
      trainDigits(
        thermometer,
        { train: thermometerCodes(train), validation: thermometerCodes(validation) },
        { shape: [LEVELS.length * SIZE] },
      ),
  },
  {
    name: 'winners',
    ...winners,
    train: (digits) => trainDigits(winners, digits, { start: untrainedWinners() }),
  },
  ...twins.map((twin) => ({ ...twin, train: (digits: Digits) => trainDigits(twin, digits) })),
];

export const fixtures = 'test/core/evaluation/zoo/fixtures';

/** Reads a trained network: they are kept, so that all machines judge the same ones and no test waits for training. */
export function readNetwork(name: string): Uint8Array {
  return readFileSync(`${fixtures}/${name}.onnx`);
}

/** All that broken defences are built of. */
export function readParts({ train, test }: Pick<Digits, 'train' | 'test'>): Parts {
  const others = twins.filter(({ name }) => /^0[157]/.test(name)).map(({ name }) => readNetwork(name));
  const [plainNetwork, thermometerNetwork, winnersNetwork] = ['plain', 'thermometer', 'winners'].map(
    readNetwork,
  ) as [Uint8Array, Uint8Array, Uint8Array];
  return {
    plain: plainNetwork,
    thermometer: thermometerNetwork,
    winners: winnersNetwork,
    others,
    train,
    test,
  };
}

/** Each value as so many bits: whether it is above each level. Level by level, each a whole picture. */
function thermometerCodes({ ids, labels, inputs }: Samples): Samples {
  const codes = new Float32Array(inputs.length * LEVELS.length);
  for (const [row] of ids.entries()) {
    for (const [level, edge] of LEVELS.entries()) {
      for (let i = 0; i < SIZE; i++) {
        codes[(row * LEVELS.length + level) * SIZE + i] = inputs[row * SIZE + i]! > edge ? 1 : 0;
      }
    }
  }
  return { ids, labels, inputs: codes };
}

/** An MLP of one hidden layer in which all but the largest activations are zero. */
function untrainedWinners(): Uint8Array {
  const b = graphBuilder(17);
  const x = b.input('input', 'float', ['N', ...SHAPE]);
  const stream = randomStream(9, 'winners');
  const dense = (input: string, from: number, to: number): string => {
    const weights = Array.from({ length: from * to }, () => stream.normal() / Math.sqrt(from));
    return b.op(
      'Gemm',
      [
        input,
        b.constant(floatTensor([to, from], weights), 'weight'),
        b.constant(floatTensor([to], new Float32Array(to)), 'bias'),
      ],
      { transB: attribute.int(1) },
    )[0];
  };
  const hidden = dense(b.op('Flatten', [x])[0], SIZE, UNITS);
  const [largest] = b.op('TopK', [hidden, b.constant(int64Vector([WINNERS]), 'k')], {}, 2);
  const [least] = b.op('ReduceMin', [largest], { axes: attribute.ints([1]) });
  const [wins] = b.op('Cast', [b.op('GreaterOrEqual', [hidden, least])[0]], { to: attribute.int(1) });
  b.output('logits', 'float', ['N', CLASSES], dense(b.op('Mul', [hidden, wins])[0], UNITS, CLASSES));
  return encodeModel(b.toModel());
}
