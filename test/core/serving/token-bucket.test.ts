import fc from 'fast-check';
import { type TokenBucket, takeTokens } from '../../../src/core/serving/index.js';

const requests = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 90_000 }), cost: fc.integer({ min: 1, max: 20 }) }),
  { maxLength: 60 },
);

describe('a rate by the minute', () => {
  it('lets through no more than a burst and what has filled since, over any stretch of time', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 20 }), (asked, perMinute) => {
        const passed: { atMs: number; cost: number }[] = [];
        let bucket: TokenBucket | undefined;
        let nowMs = 0;
        for (const { waitMs, cost } of asked) {
          nowMs += waitMs;
          const decision = takeTokens(bucket, perMinute, cost, nowMs);
          bucket = decision.bucket;
          if (decision.ok) passed.push({ atMs: nowMs, cost });
        }
        passed.forEach(({ atMs: from }, first) => {
          let sum = 0;
          for (const { atMs, cost } of passed.slice(first)) {
            sum += cost;
            expect(sum).toBeLessThanOrEqual(perMinute * (1 + (atMs - from) / 60_000) + 1e-6);
          }
        });
      }),
    );
  });

  it('says when to ask again, and means it', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 20, max: 40 }), (asked, perMinute) => {
        let bucket: TokenBucket | undefined;
        let nowMs = 0;
        for (const { waitMs, cost } of asked) {
          nowMs += waitMs;
          const decision = takeTokens(bucket, perMinute, cost, nowMs);
          bucket = decision.bucket;
          if (decision.ok) continue;
          expect(takeTokens(bucket, perMinute, cost, nowMs + decision.retryAfterMs + 1).ok).toBe(true);
          expect(takeTokens(bucket, perMinute, cost, nowMs + decision.retryAfterMs - 2).ok).toBe(false);
        }
      }),
    );
  });

  it('does not fill when the clock is set back', () => {
    const { bucket } = takeTokens(undefined, 10, 10, 100_000);
    expect(takeTokens(bucket, 10, 1, 0).ok).toBe(false);
  });
});
