import type { EndpointState, Revision } from '../../src/workflows/contract.js';
import { continuesLive, rollbackTarget } from '../../src/workflows/revisions.js';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const revision = (number: number, model: string): Revision => ({
  release: digest('f'),
  record: {
    endpoint: 'digits',
    revision: number,
    kind: 'release',
    model: digest(model),
    chain: {
      data: digest('1'),
      signature: digest('2'),
      provenance: digest('3'),
      tests: [digest('4')],
      verification: digest(model),
    },
    previous: null,
    reason: 'test',
    requestedBy: 'test',
    createdAt: '2026-01-01T00:00:00Z',
  },
});
const state = (...history: Revision[]): EndpointState => ({
  endpoint: 'digits',
  history,
  ...(history[0] && { live: history[0] }),
});

describe('the target of a rollback', () => {
  it('is the newest revision that served another model', () => {
    const target = rollbackTarget(
      state(revision(4, 'b'), revision(3, 'b'), revision(2, 'a'), revision(1, 'c')),
    );
    expect(target).toMatchObject({ record: { revision: 2 } });
  });

  it('is the revision that was asked for', () => {
    expect(rollbackTarget(state(revision(3, 'c'), revision(2, 'b'), revision(1, 'a')), 1)).toMatchObject({
      record: { revision: 1 },
    });
  });

  it.each([
    ['nothing is live', state(), undefined, 'has no live revision'],
    [
      'only one model was ever served',
      state(revision(2, 'a'), revision(1, 'a')),
      undefined,
      'no other model',
    ],
    ['the revision is unknown', state(revision(1, 'a')), 7, 'has no revision 7: expected one of 1'],
    ['the revision serves the live model', state(revision(2, 'a'), revision(1, 'a')), 1, 'live already'],
  ])('does not exist, and says why, when %s', (_case, endpoint, asked, sentence) => {
    expect(rollbackTarget(endpoint, asked)).toEqual(expect.stringContaining(sentence));
  });
});

describe('a proposal', () => {
  it('continues what is live only with the same model on the same verification', () => {
    const live = revision(1, 'a');
    const same = { model: live.record.model, chain: live.record.chain, reason: 'again', requestedBy: 'test' };
    expect(continuesLive(live, same)).toBe(true);
    expect(continuesLive(undefined, same)).toBe(false);
    expect(continuesLive(live, { ...same, model: digest('b') })).toBe(false);
    expect(continuesLive(live, { ...same, chain: { ...same.chain, verification: digest('9') } })).toBe(false);
  });
});
