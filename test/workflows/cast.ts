import { randomUUID } from 'node:crypto';
import { createControlActivities, type StageResult } from '../../src/activities/index.js';
import { type Digest, gateName, type ModelRecord, type Verdict } from '../../src/core/spec/index.js';
import { digestOf, type Store } from '../../src/core/store/index.js';
import { createTrustPolicy, generateSigningKey } from '../../src/core/trust/index.js';
import type { Revision } from '../../src/workflows/contract.js';
import type { Cast } from './stage-set.js';

export const done = <T>(value: T, cached = false): StageResult<T> => ({ kind: 'done', value, cached });
export const refused = <T>(code: string, reason: string): StageResult<T> => ({
  kind: 'refused',
  code,
  reasons: [reason],
  hint: 'Do otherwise.',
  evidence: [],
});

export const modelRecord = (model: string): ModelRecord => ({
  model: digestOf(model),
  onnx: digestOf(`${model}.onnx`),
  snapshot: digestOf('snapshot'),
  environment: digestOf('environment'),
  metrics: {},
  trainer: 'built-in/1',
  seed: 0,
  parameters: digestOf('parameters'),
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:01:00Z',
});

export const verdict = (gate: string, status: Verdict['status'] = 'pass'): Verdict => ({
  gate,
  kind: 'accuracy',
  status,
  metric: 'accuracy',
  estimate: 0.9,
  interval: [0.85, 0.93],
  confidence: 0.95,
  n: 100,
  threshold: 0.8,
  reasons: [`It says ${status}.`],
  figures: {},
  evidence: digestOf(`evidence of ${gate}`),
});

/** Everyone does what is asked and finds nothing wrong; `proposeRelease` is the real one. */
export async function willingCast(): Promise<Cast> {
  const trust = createTrustPolicy([{ publicKey: (await generateSigningKey()).publicKey }]);
  const { proposeRelease } = createControlActivities({
    store: {} as Store,
    trust,
    scratch: '',
    identity: 'control',
  });
  const compute = (worker: string): Cast['cpu'] => ({
    scanModel: async () => done({ warnings: 0, notes: 0 }),
    ingestSource: async ({ source }) =>
      done({
        snapshot: digestOf('snapshot'),
        source,
        rows: { train: 70, validation: 10, test: 20 },
        classes: 2,
        features: 2,
      }),
    trainModel: async ({ name }) => done({ record: modelRecord(name), worker }),
    planEvaluation: async () => done([[{ from: 0, to: 1 }]]),
    evaluateShard: async ({ block }) => done({ block, measured: digestOf('measured') }),
    mergeEvaluation: async ({ gate }) => done(verdict(gateName(gate))),
    evaluateModel: async ({ gate }) => done(verdict(gateName(gate))),
  });
  const digest = (): Digest => digestOf(randomUUID());
  return {
    cpu: compute('cpu'),
    gpu: compute('gpu'),
    control: {
      proposeRelease,
      publishRevision: async (revision) => done(revision),
      recoverRevisions: async () => done({ lastRevision: 0, revisions: [] as Revision[] }),
      findParent: async () => done(null),
      readDataDecisions: async () => done([]),
      // Whoever says who they are is believed: what is not, `requests.test.ts` tells.
      checkRequest: async ({ asked }) => {
        if ('signed' in asked) return refused('signature-invalid', 'This cast reads no signatures.');
        const { by: person, ...said } = asked;
        return done({ person, ...said });
      },
      approvalsNeeded: async () => done({ needed: 0 }),
      authorizeProposal: async ({ proposal }) => done({ requestedBy: proposal.requestedBy }),
      hasPollers: async () => false,
    },
    signing: {
      signModel: async () => done({ data: digest(), signature: digest(), provenance: digest() }),
      attestTests: async () => done([digest()]),
      attestVerdicts: async () => done({ tests: [digest()], verification: digest() }),
      attestDecision: async ({ decision }) => done({ statement: digest(), by: decision.by }),
      signRevision: async (order) =>
        done({ release: digest(), record: { ...order, createdAt: '2026-01-01T00:00:00Z' } }),
      logRelease: async () => done(null),
      logStatements: async () => done(null),
      logEvent: async () => done(null),
    },
  };
}
