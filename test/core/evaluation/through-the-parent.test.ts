import { openClassifier } from '../../../src/core/attacks/index.js';
import { evasionGate } from '../../../src/core/evaluation/evasion-gate.js';
import type { EvasionRow } from '../../../src/core/evaluation/evasion-row.js';
import type { Decision, GateSubject } from '../../../src/core/evaluation/gate.js';
import { openServedModel } from '../../../src/core/evaluation/served-model.js';
import { type EvasionGateSpec, gatesSchema } from '../../../src/core/spec/index.js';
import { brokenDefences, CLASSES, clouds, networkOnnx, SIZE, train } from './small-models.js';

const samples = clouds(100, 'test');
/** The parent, and what ten more epochs make of it. */
const [parentOnnx, childOnnx, maskedOnnx] = [
  networkOnnx(train(clouds(300, 'train'), 20)),
  networkOnnx(train(clouds(300, 'train'), 30)),
  networkOnnx(train(clouds(300, 'train'), 30), brokenDefences.decoy),
];
const spec = gatesSchema.parse([
  {
    gate: 'evasion',
    norm: 'linf',
    epsilon: 0.12,
    minimum: 0.1,
    attacks: [
      { attack: 'fgsm' },
      { attack: 'pgd', steps: 10, restarts: 1 },
      { attack: 'apgd-ce', steps: 15 },
      { attack: 'apgd-dlr', steps: 15 },
      { attack: 'transfer', steps: 30, restarts: 1 },
    ],
  },
])[0] as EvasionGateSpec;
const withoutTransfer: EvasionGateSpec = {
  ...spec,
  attacks: spec.attacks!.filter(({ attack }) => attack !== 'transfer'),
};

interface Evaluation {
  readonly decision: Decision;
  readonly rows: readonly EvasionRow[];
}

async function evaluate(onnx: Uint8Array, parent?: Uint8Array, gate = spec): Promise<Evaluation> {
  const served = await openServedModel(onnx, {
    input: { name: 'x', shape: [SIZE] },
    output: { name: 'logits', classes: ['a', 'b', 'c'] },
  });
  try {
    const range = { minimum: new Float32Array(SIZE), maximum: new Float32Array(SIZE).fill(1) };
    const subject: GateSubject = {
      samples,
      classes: CLASSES,
      ...range,
      seed: 5,
      serve: served.serve,
      openClassifier: (exponent) => openClassifier(onnx, [SIZE], exponent),
      ...(parent && { openParent: (exponent) => openClassifier(parent, [SIZE], exponent) }),
      certifiable: { onnx, shape: [SIZE], classes: CLASSES, ...range, logits: served.logits },
    };
    const { rows } = await evasionGate.measure(gate, subject);
    return { rows, decision: decide(rows, parent !== undefined, gate) };
  } finally {
    await served.close();
  }
}
const decide = (rows: readonly EvasionRow[], parent: boolean, gate = spec): Decision =>
  evasionGate.decide(gate, { rows, parent, classes: ['a', 'b', 'c'] });

const masking = /^Gradient masking: An attack through the parent breaks \d+ of 100 samples/;

describe('a model that hides its gradients', () => {
  it('is broken through its parent, which the gate says and fails it for', async () => {
    const { decision, rows } = await evaluate(maskedOnnx, parentOnnx);
    const alone = await evaluate(maskedOnnx, undefined, withoutTransfer);
    expect(decision.estimate).toBeLessThan(alone.decision.estimate - 0.2);
    expect(decision.status).toBe('fail');
    expect(decision.reasons).toContainEqual(expect.stringMatching(masking));
    expect(alone.decision.reasons).not.toContainEqual(expect.stringMatching(masking));
    // What its own gradients do is the same either way.
    expect(decision.figures['robust accuracy after apgd-dlr']).toBe(alone.decision.estimate);
    expect(rows.every((row) => evasionGate.rowSchema.safeParse(row).success)).toBe(true);
  });
});

describe('an honest model', () => {
  let honest: Evaluation;
  beforeAll(async () => {
    honest = await evaluate(childOnnx, parentOnnx);
  });

  it('is not held to mask its gradients because it has a parent', () => {
    const { decision } = honest;
    expect(decision.reasons).not.toContainEqual(expect.stringMatching(/parent/));
    expect(decision.figures['robust accuracy after transfer']).toBe(decision.estimate);
  });

  it('without a parent is not blamed for it, and nothing is said to have been tried', async () => {
    const { decision, rows } = await evaluate(childOnnx);
    expect(rows.every(({ attacks }) => attacks?.transfer === undefined)).toBe(true);
    expect(Object.keys(decision.figures)).not.toContain('robust accuracy after transfer');
    expect(decision.reasons).toEqual(honest.decision.reasons);
    // The same rows, had there been a parent, lack what the policy asks for.
    const owed = decide(rows, true);
    expect(owed.status).not.toBe('pass');
    expect(owed.reasons).toContainEqual(expect.stringMatching(/^The suite of attacks was run on 0 samples/));
  });
});
