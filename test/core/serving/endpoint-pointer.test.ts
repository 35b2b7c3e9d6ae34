import fc from 'fast-check';
import { endpointOfRef, endpointPointerSchema, endpointRef } from '../../../src/core/serving/index.js';

const release = `sha256:${'a'.repeat(64)}`;

describe("an endpoint's ref", () => {
  it('leads back to its endpoint, and no other text does', () => {
    expect(endpointOfRef(endpointRef('digits'))).toBe('digits');
    expect(() => endpointRef('../digits')).toThrow('lower-case letters');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `endpoints/${text}`),
        ),
        (ref) => {
          const endpoint = endpointOfRef(ref);
          if (endpoint !== undefined) expect(endpointRef(endpoint)).toBe(ref);
        },
      ),
    );
  });

  it.each([
    { release },
    { release, revision: 0 },
    { release: 'a', revision: 1 },
    { release, revision: 1, x: 1 },
  ])('does not take %j for a pointer', (value) => {
    expect(endpointPointerSchema.safeParse(value).success).toBe(false);
  });
});
