import type { Trained } from '../../src/activities/index.js';
import type { Verdict } from '../../src/core/spec/index.js';
import { compareTrainings, judge } from '../../src/workflows/judgement.js';
import { verdict as castVerdict, done } from './cast.js';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const trained = (model: string, worker: string): Trained => ({
  worker,
  record: {
    model: digest(model),
    onnx: digest('0'),
    snapshot: digest('1'),
    environment: digest('e'),
    metrics: {},
    trainer: 'built-in',
    seed: 0,
    parameters: digest('2'),
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
  },
});
const verdict = (gate: string, status: Verdict['status']): Verdict => ({
  ...castVerdict(gate, status),
  reasons: [`${gate} says ${status}`],
});

describe('a reproduction', () => {
  it('stands when both workers trained the same bytes', () => {
    const second = done(trained('a', 'second'));
    expect(compareTrainings(trained('a', 'first'), second)).toBe(second);
  });

  it('refuses the run when they differ, and names both models and workers', () => {
    const result = compareTrainings(trained('a', 'first'), done(trained('b', 'second')));
    expect(result).toMatchObject({ kind: 'refused', code: 'irreproducible' });
    for (const named of [digest('a'), digest('b'), 'first', 'second']) {
      expect(JSON.stringify(result)).toContain(named);
    }
  });
});

describe('the judgement over all gates', () => {
  it('lets a model on when every gate passed, and calls it cached only when every verdict was', () => {
    const results = [done(verdict('accuracy', 'pass'), true), done(verdict('evasion', 'pass'))];
    expect(judge(results, [])).toMatchObject({ kind: 'done', cached: false });
    expect(judge(results.slice(0, 1), [])).toMatchObject({ kind: 'done', cached: true });
  });

  it('refuses a model with any failed gate and names every gate that blocks', () => {
    const shown: Verdict[] = [];
    const result = judge(
      [done(verdict('a', 'inconclusive')), done(verdict('b', 'pass')), done(verdict('c', 'fail'))],
      shown,
    );
    expect(result).toMatchObject({
      kind: 'refused',
      code: 'gate-failed',
      reasons: ['a: a says inconclusive', 'c: c says fail'],
    });
    expect(shown).toHaveLength(3);
  });

  it('blocks on an inconclusive gate alone', () => {
    expect(judge([done(verdict('a', 'inconclusive'))], [])).toMatchObject({ code: 'gate-inconclusive' });
  });
});
