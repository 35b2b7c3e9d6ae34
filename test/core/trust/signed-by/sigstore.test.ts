import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RefusedError } from '../../../../src/core/errors/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  openEnvelope,
  type TrustPolicy,
  trustPolicySchema,
} from '../../../../src/core/trust/index.js';

/** Signed by a workflow through the public instance: see `fixtures/sigstore/ORIGIN.md`. */
const fixture = (name: string) => readFileSync(path.join(__dirname, '../fixtures/sigstore', name));
const trustedRoot = JSON.parse(fixture('trusted-root.json').toString()) as Record<string, unknown>;
const now = new Date('2026-01-02T03:04:05.000Z');
const identity = {
  subject:
    'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
};
const good = fixture('good.sigstore.json');

let keys: TrustPolicy['keys'];
beforeAll(async () => {
  keys = createTrustPolicy([{ publicKey: (await generateSigningKey()).publicKey }]).keys;
});

const believing = (changes: object = {}, root: object = trustedRoot): TrustPolicy =>
  trustPolicySchema.parse({
    ...{ version: 1, keys },
    keyless: { trustedRoot: root, identities: [{ ...identity, roles: ['provenance'], ...changes }] },
  });

describe('a keyless signature', () => {
  it('is verified offline, from a bundle and a trusted root', () => {
    const { payload, signer } = openEnvelope(good, believing(), now);
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({
      predicateType: 'https://slsa.dev/provenance/v1',
    });
    expect(signer).toMatchObject({ id: `${identity.subject} (${identity.issuer})`, roles: ['provenance'] });
  });

  it.each([
    ['another branch', { subject: identity.subject.replace('main', 'other') }],
    ['what would match it as a pattern', { subject: '.*' }],
    ['the beginning of it', { subject: identity.subject.slice(0, -1) }],
    ['the same subject of another provider', { issuer: 'https://accounts.example.com' }],
  ])('is of a stranger where the policy names %s', (_, changes) => {
    expect(() => openEnvelope(good, believing(changes), now)).toThrow(
      expect.objectContaining({ code: 'identity-unknown' }),
    );
  });

  it.each(['invalid-sig', 'mismatch-envelope', 'mismatch-sig'])(
    'is refused when the log disagrees: %s',
    (name) => {
      expect(() => openEnvelope(fixture(`${name}.sigstore.json`), believing(), now)).toThrow(
        expect.objectContaining({ code: 'certificate-invalid' }),
      );
    },
  );

  it.each(['tlogs', 'certificateAuthorities', 'ctlogs'])('is refused by a root with other %s', (part) => {
    const [first] = trustedRoot[part] as Record<string, unknown>[];
    // What is left of an instance once what signed this bundle is taken away.
    const others = (trustedRoot[part] as Record<string, { start?: string }>[]).filter(({ validFor }) =>
      part === 'certificateAuthorities' ? validFor?.start?.startsWith('2021') : false,
    );
    const changed = others.length > 0 ? others : [{ ...first, ...otherKey(first!) }];
    expect(() => openEnvelope(good, believing({}, { ...trustedRoot, [part]: changed }), now)).toThrow(
      expect.objectContaining({ code: 'certificate-invalid' }),
    );
  });

  it('is refused without any part of what bears it out', () => {
    const bundle = JSON.parse(good.toString()) as { verificationMaterial: Record<string, unknown> };
    const { tlogEntries, ...rest } = bundle.verificationMaterial;
    const [entry] = tlogEntries as Record<string, unknown>[];
    const { inclusionPromise: _, inclusionProof: __, ...unproven } = entry!;
    for (const material of [
      { ...rest, tlogEntries: [] },
      { ...rest, tlogEntries: [unproven] },
      { ...rest, tlogEntries: [entry, entry] },
    ]) {
      const changed = Buffer.from(JSON.stringify({ ...bundle, verificationMaterial: material }));
      expect(() => openEnvelope(changed, believing(), now)).toThrow(RefusedError);
    }
  });

  it('is only ever refused in a typed way, whatever byte is another (100 times), unless the byte means nothing', () => {
    const { payload } = openEnvelope(good, believing(), now);
    let accepted = 0;
    for (let index = 0; index < 100; index++) {
      const stream = randomStream(11, 'sigstore', index);
      const flipped = Buffer.from(good);
      flipped[stream.integer(flipped.length)]! ^= 1 + stream.integer(255);
      try {
        // The log's address in a bundle, say, is only there to be looked up: what is opened is what was signed.
        expect(openEnvelope(flipped, believing(), now).payload).toEqual(payload);
        accepted += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(RefusedError);
      }
    }
    expect(accepted).toBeLessThan(10);
  });
});

/** The public key of another log, as far as the signature goes. */
function otherKey(log: Record<string, unknown>): Record<string, unknown> {
  const { publicKey } = log as { publicKey: Record<string, unknown> };
  const other = keys[0]!.publicKey.replace(/-----.*-----|\n/g, '');
  return { publicKey: { ...publicKey, rawBytes: other } };
}
