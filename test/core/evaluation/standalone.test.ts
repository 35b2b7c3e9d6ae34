import type { SampleSet } from '../../../src/core/data/index.js';
import { nearestFigures } from '../../../src/core/evaluation/attack-figures.js';
import { isRobust } from '../../../src/core/evaluation/evasion-row.js';
import {
  attackFigures,
  evaluateFile,
  type FileEvaluation,
  openModelFile,
} from '../../../src/core/evaluation/index.js';
import { sampleBytes } from '../../../src/core/evaluation/serve-cleanly.js';
import {
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
} from '../../../src/core/onnx/index.js';
import { type EvasionGateSpec, gateSchema } from '../../../src/core/spec/index.js';
import { brokenDefences, CLASSES, clouds, networkOnnx, SIZE, train } from './small-models.js';

const network = train(clouds(300, 'train'), 30);
const samples = clouds(60, 'test');
const set: SampleSet = {
  samples,
  classes: [0, 1, 2],
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
  shape: [SIZE],
  notes: [],
};
const spec = (changes: object = {}): EvasionGateSpec =>
  gateSchema.parse({
    gate: 'evasion',
    norm: 'linf',
    epsilon: 0.15,
    minimum: 0,
    pgd: { steps: 8, restarts: 1 },
    apgd: { steps: 5 },
    fab: { steps: 5 },
    square: { queries: 10 },
    hopSkipJump: { queries: 10 },
    ...changes,
  }) as EvasionGateSpec;
const digest = `sha256:${'0'.repeat(64)}` as const;

async function evaluate(onnx: Uint8Array, changes: object = {}, seed = 0): Promise<FileEvaluation> {
  const model = await openModelFile(onnx);
  try {
    return await evaluateFile({ model, set, spec: spec(changes), seed, data: digest });
  } finally {
    await model.close();
  }
}
const brokenIds = ({ measurement }: FileEvaluation): readonly string[] =>
  measurement.rows.filter((row) => row.correct && !isRobust(row)).map(({ id }) => id);

const plain = networkOnnx(network);
let reference: FileEvaluation;
beforeAll(async () => {
  reference = await evaluate(plain);
});

describe("anyone's model file", () => {
  it('that rounds inside is said to have estimated gradients', async () => {
    const b = graphBuilder(17);
    b.input('x', 'float', ['N', SIZE]);
    const scale = b.constant(floatTensor([], [0.1]), 'scale');
    const [rounded] = b.op('DequantizeLinear', [b.op('QuantizeLinear', ['x', scale])[0], scale]);
    const weights = floatTensor([SIZE, CLASSES], new Float32Array(SIZE * CLASSES));
    b.output('y', 'float', ['N', CLASSES], b.op('MatMul', [rounded, b.constant(weights, 'weights')])[0]);
    const model = await openModelFile(encodeModel(b.toModel()));
    expect(model.notes).toEqual([
      'gradient: straight-through. Values are rounded at QuantizeLinear (QuantizeLinear); gradients are as if they were not.',
    ]);
    await model.close();
  });

  it('is attacked and judged as by the gate, with an example for every sample that was broken', () => {
    expect(reference.decision).toMatchObject({ kind: 'evasion', n: 60, metric: 'robust accuracy' });
    expect(brokenIds(reference).length).toBeGreaterThan(3);
    expect(reference.examples.map(({ id }) => id).sort()).toEqual([...brokenIds(reference)].sort());
    for (const { id, adversarial } of reference.examples) {
      const at = reference.samples.ids.indexOf(id);
      adversarial.forEach((value, i) => {
        expect(Math.abs(value - reference.samples.inputs[at * SIZE + i]!)).toBeLessThanOrEqual(0.15);
      });
    }
  });

  it('gives figures that add up to the verdict', () => {
    const figures = attackFigures(reference.measurement.rows, 0.95);
    expect(figures.at(-1)!.robust.estimate).toBe(reference.decision.estimate);
    for (const [i, { attacked, broken, robust }] of figures.entries()) {
      expect(broken).toBeLessThanOrEqual(attacked);
      if (i > 0) expect(robust.estimate).toBeLessThanOrEqual(figures[i - 1]!.robust.estimate);
    }
  });

  it('is told how far its boundaries are, also where no attack in the ball broke it', () => {
    const { attacked, nearest } = attackFigures(reference.measurement.rows, 0.95).find(
      ({ attack }) => attack === 'fab-t',
    )!;
    expect(nearest).toEqual({ median: expect.any(Number), found: attacked });
    expect(reference.decision.figures['median minimal distance (linf) by fab-t']).toBe(nearest!.median);
    const beyond = reference.measurement.rows.flatMap(({ attacks }) => attacks?.['fab-t'] ?? []);
    expect(beyond.every((outcome) => outcome.broken === outcome.nearest! <= 0.15)).toBe(true);
    expect(nearestFigures(beyond.map((outcome) => ({ ...outcome, nearest: null })))).toEqual({
      median: null,
      found: 0,
    });
  });

  it('comes with every control, and what each looked at', () => {
    expect(reference.controls.length).toBeGreaterThan(8);
    expect(reference.controls.every(({ status }) => status === 'pass')).toBe(
      reference.decision.status === 'pass',
    );
    // A figure is looked up by the name of its control.
    for (const { name, seen } of reference.controls) {
      if (name !== 'the loss has converged') expect([name, seen]).toEqual([name, expect.stringMatching(/./)]);
    }
  });

  it('draws the same samples for every model and radius, and others for another seed', async () => {
    const other = await evaluate(networkOnnx(train(clouds(60, 'train'), 2)), { samples: 10, epsilon: 0.01 });
    expect(other.samples.ids).toEqual(reference.samples.ids.slice(0, 10));
    expect((await evaluate(plain, { samples: 10, epsilon: 0.01 }, 1)).samples.ids).not.toEqual(
      other.samples.ids,
    );
  });

  it('that gives probabilities, however saturated, is as easy to break as its logits are', async () => {
    const saturated = networkOnnx(network, brokenDefences.saturated);
    expect(brokenIds(await evaluate(saturated))).toEqual(brokenIds(reference));
  });

  it('whose batch axis has length 1 is asked one sample at a time, with the same result', async () => {
    // Few enough are broken for attacks on several at once.
    const single = await evaluate(withBatch(1), { epsilon: 0.01 });
    expect(single.measurement.rows).toEqual(
      (await evaluate(withBatch('N'), { epsilon: 0.01 })).measurement.rows,
    );
    expect(single.measurement.rows.filter(isRobust).length).toBeGreaterThan(5);
  });

  it('with operators that have no gradient says which, and is attacked as a black box', async () => {
    const onnx = networkOnnx(network, {
      before: (b, x) => b.op('Add', [x, shiftedBits(b, x)])[0],
    });
    const { measurement, decision, controls } = await evaluate(onnx);
    expect(measurement.obstacle).toContain('BitShift');
    expect([decision.status, measurement.rows.length]).toEqual(['inconclusive', 60]);
    const attacked = attackFigures(measurement.rows, 0.95).map(({ attack }) => attack);
    expect(attacked).toEqual(['square', 'hop-skip-jump']);
    expect(controls.map(({ name }) => name)).not.toContain('gradients agree with finite differences');
  });

  it.each([
    ['a fixed batch', () => withBatch(32), 'fixed batch of 32'],
    ['two inputs', () => twoInputs(), 'expected one input of float32'],
    ['one output value', () => oneOutput(), 'with two classes or more'],
  ])('with %s is refused, saying what to do', async (_name, build, message) => {
    const attempt = (async () => {
      const model = await openModelFile(build());
      try {
        await model.serve(sampleBytes(samples.inputs, SIZE, 0), [SIZE]);
      } finally {
        await model.close();
      }
    })();
    await expect(attempt).rejects.toMatchObject({
      code: 'model-unfit',
      message: expect.stringContaining(message),
    });
  });

  it('is refused when it is no model', async () => {
    await expect(openModelFile(Buffer.from('hello'))).rejects.toMatchObject({ code: 'model-unsafe' });
  });

  it('refuses classes that are not those of the model', async () => {
    const model = await openModelFile(plain);
    const named = { ...set, classes: ['a', 'b'] };
    const attempt = evaluateFile({ model, set: named, spec: spec(), seed: 0, data: digest });
    await expect(attempt).rejects.toMatchObject({ code: 'data-refused' });
    await model.close();
  });
});

/** Zero, by an operator that has no derivative. */
function shiftedBits(b: GraphBuilder, x: string): string {
  const [bits] = b.op('Cast', [x], { to: attribute.int(2) });
  const seven = b.constant({ type: 'uint8', dims: [], data: Uint8Array.of(7) }, 'seven');
  const [shifted] = b.op('BitShift', [bits, seven], { direction: attribute.string('RIGHT') });
  return b.op('Cast', [shifted], { to: attribute.int(1) })[0];
}

/** A linear model with this batch axis. */
function withBatch(batch: number | string): Uint8Array {
  const b = graphBuilder(17);
  const x = b.input('x', 'float', [batch, SIZE]);
  const weights = Array.from({ length: CLASSES * SIZE }, (_, i) => Math.sin(7 * i));
  const scores = b.op('Gemm', [x, b.constant(floatTensor([CLASSES, SIZE], weights), 'w')], {
    transB: attribute.int(1),
  })[0];
  b.output('scores', 'float', [batch, CLASSES], scores);
  return encodeModel(b.toModel());
}

function twoInputs(): Uint8Array {
  const b = graphBuilder(17);
  b.output(
    'sum',
    'float',
    ['N', 2],
    b.op('Add', [b.input('x', 'float', ['N', 2]), b.input('y', 'float', ['N', 2])])[0],
  );
  return encodeModel(b.toModel());
}

function oneOutput(): Uint8Array {
  const b = graphBuilder(17);
  const w = b.constant(floatTensor([SIZE, 1], new Float32Array(SIZE)), 'w');
  b.output('p', 'float', ['N', 1], b.op('MatMul', [b.input('x', 'float', ['N', SIZE]), w])[0]);
  return encodeModel(b.toModel());
}
