import {
  type CertifiedPoisoningRow,
  certifiedPoisoningGate,
} from '../../../src/core/evaluation/certified-poisoning-gate.js';
import type { GateSubject } from '../../../src/core/evaluation/gate.js';
import { type CertifiedPoisoningGateSpec, gatesSchema } from '../../../src/core/spec/index.js';

const spec = (changes: object = {}): CertifiedPoisoningGateSpec =>
  gatesSchema.parse([
    { gate: 'certified-poisoning', radius: 2, minimum: 0.2, ...changes },
  ])[0] as CertifiedPoisoningGateSpec;

const row = (id: string, label: number, votes: number[], radius: number): CertifiedPoisoningRow => {
  const predicted = votes.indexOf(Math.max(...votes));
  return { id, label, predicted, correct: predicted === label, votes, radius };
};
/** Of ten votes each: right with radii 5, 2, 1 and 0, and wrong with radius 4. */
const rows = [
  row('a', 0, [10, 0], 5),
  row('b', 1, [2, 8], 2),
  row('c', 0, [6, 4], 1),
  row('d', 0, [5, 5], 0),
  row('e', 0, [1, 9], 3),
];

/** A subject whose model answers with votes that a test chooses. */
const subjectOf = (votes: readonly number[], voters?: number): GateSubject =>
  ({
    samples: { ids: ['x'], inputs: new Float32Array(2), labels: Uint32Array.of(1) },
    minimum: new Float32Array(2),
    maximum: new Float32Array(2),
    serve: async () => Float32Array.from(votes),
    ...(voters !== undefined && { voters }),
  }) as unknown as GateSubject;

describe('the gate of certified poisoning', () => {
  it('counts what is right and withstands as much poison, and nothing else', () => {
    const { estimate, status, figures } = certifiedPoisoningGate.decide(spec({ minimum: 0.05 }), {
      rows,
      classes: [0, 1],
    });
    expect({ estimate, status }).toEqual({ estimate: 0.4, status: 'pass' });
    expect(figures).toEqual({
      radius: 2,
      voters: 10,
      accuracy: 0.8,
      'median radius': 1,
      'certified accuracy at radius 1': 0.6,
      'certified accuracy at radius 2': 0.4,
      'certified accuracy at radius 5': 0.2,
    });
  });

  it('believes no radius and no prediction that does not follow from the votes', () => {
    const contradictions = (changed: readonly CertifiedPoisoningRow[]) =>
      certifiedPoisoningGate.contradictions!(spec(), changed);
    expect(contradictions(rows)).toEqual([]);
    const [first, ...others] = rows as [CertifiedPoisoningRow, ...CertifiedPoisoningRow[]];
    for (const change of [{ radius: 6 }, { radius: 4 }, { predicted: 1 }, { votes: [] }, { votes: [11, 0] }])
      expect(contradictions([{ ...first, ...change }, ...others]).length).toBeGreaterThan(0);
  });

  it('certifies by the votes of as many networks as were trained, and refuses other answers', async () => {
    const { rows: measured } = await certifiedPoisoningGate.measure(spec(), subjectOf([1, 9], 10));
    expect(measured).toEqual([{ id: 'x', label: 1, predicted: 1, correct: true, votes: [1, 9], radius: 3 }]);
    for (const votes of [
      [1, 8],
      [0.5, 9.5],
      [-1, 11],
      [5, 10],
    ])
      await expect(certifiedPoisoningGate.measure(spec(), subjectOf(votes, 10))).rejects.toMatchObject({
        code: 'model-unreadable',
      });
  });

  it('certifies nothing of a model that was not trained in partitions, whatever it answers', async () => {
    const measurement = await certifiedPoisoningGate.measure(spec(), subjectOf([1, 9]));
    expect(measurement.rows).toMatchObject([{ radius: 0, votes: [] }]);
    const { status, reasons } = certifiedPoisoningGate.decide(spec(), { ...measurement, classes: [0, 1] });
    expect(status).not.toBe('pass');
    expect(reasons.join()).toContain('was not trained in partitions');
  });
});
