import fc from 'fast-check';
import { RefusedError } from '../../../src/core/errors/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  readTrustPolicy,
  type SigningKey,
  statementRoles,
  writeTrustPolicy,
} from '../../../src/core/trust/index.js';
import { gates } from './chain-fixture.js';

let key: SigningKey;
let other: SigningKey;
beforeAll(async () => {
  key = await generateSigningKey();
  other = await generateSigningKey();
});

describe('a trust policy', () => {
  it('is read back as it was written', () => {
    const policy = createTrustPolicy(
      [
        { publicKey: key.publicKey },
        { publicKey: other.publicKey, roles: ['release'], endpoints: ['digits'] },
      ],
      { digits: { gates: [...gates], approval: true } },
    );
    expect(readTrustPolicy(writeTrustPolicy(policy))).toEqual(policy);
    expect(readTrustPolicy(JSON.stringify(policy))).toEqual(policy);
    expect(policy.keys[0]).toMatchObject({ id: key.keyId, roles: statementRoles });
  });

  it('refuses a key under the id of another, which would speak in its name', () => {
    const policy = createTrustPolicy([{ publicKey: key.publicKey }]);
    const text = JSON.stringify({ ...policy, keys: [{ ...policy.keys[0], publicKey: other.publicKey }] });
    expect(() => readTrustPolicy(text)).toThrow(
      expect.objectContaining({
        code: 'trust-policy-invalid',
        details: [expect.stringMatching(`^keys.0.id: expected ${other.keyId}.*got ${key.keyId}$`)],
      }),
    );
  });

  it('refuses the same key twice, as its roles would depend on who looks first', () => {
    expect(() => createTrustPolicy([{ publicKey: key.publicKey }, { publicKey: key.publicKey }])).toThrow(
      expect.objectContaining({ code: 'trust-policy-invalid' }),
    );
  });

  it('refuses a private key', () => {
    expect(() => createTrustPolicy([{ publicKey: key.privateKey }])).toThrow(
      expect.objectContaining({ code: 'key-invalid' }),
    );
  });

  it('names every problem at once', () => {
    const text = 'version: 2\nkeys: []\nendpoints: { "Not A Name": {} }\nextra: 1\n';
    expect(() => readTrustPolicy(text)).toThrow(
      expect.objectContaining({
        details: [
          expect.stringMatching(/^version: /),
          expect.stringMatching(/^keys: /),
          expect.stringMatching(/^endpoints\.Not A Name: /),
          expect.stringMatching(/extra/),
        ],
      }),
    );
  });

  it('refuses a key of the mapping twice, and aliases that could expand without end', () => {
    const { keys } = createTrustPolicy([{ publicKey: key.publicKey }]);
    const text = `version: 1\nkeys: ${JSON.stringify(keys)}\n`;
    expect(readTrustPolicy(text).keys).toHaveLength(1);
    for (const bad of [`${text}version: 1\n`, `${text}endpoints: {a: &x {approval: true}, b: *x}\n`]) {
      expect(() => readTrustPolicy(bad)).toThrow(expect.objectContaining({ code: 'trust-policy-invalid' }));
    }
  });

  it('is only ever refused in a typed way, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => readTrustPolicy(text)).toThrow(RefusedError);
      }),
    );
  });
});
