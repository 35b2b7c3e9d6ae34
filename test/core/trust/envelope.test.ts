import fc from 'fast-check';
import { RefusedError } from '../../../src/core/errors/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  openEnvelope,
  preAuthenticationEncoding,
  readSigner,
  readStatement,
  type Signer,
  signEnvelope,
  type TrustPolicy,
} from '../../../src/core/trust/index.js';

const type = 'application/vnd.in-toto+json';
const now = new Date('2026-01-02T03:04:05.000Z');
const payload = Buffer.from('{"a":"payload"}');

let signer: Signer;
let policy: TrustPolicy;
let bundle: Uint8Array;
beforeAll(async () => {
  const key = await generateSigningKey();
  signer = readSigner(key.privateKey);
  policy = createTrustPolicy([{ publicKey: key.publicKey }]);
  bundle = await signEnvelope(signer, type, payload);
});

interface Bundle {
  mediaType: string;
  verificationMaterial: { publicKey: { hint: string }; tlogEntries?: unknown[] };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
}

const parsed = () => JSON.parse(Buffer.from(bundle).toString()) as Bundle;
const open = (content: unknown) => openEnvelope(Buffer.from(JSON.stringify(content)), policy, now);

describe('an envelope', () => {
  it('encodes what is signed as the DSSE protocol does', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('opens to the bytes that were signed, by the key that signed them', () => {
    const opened = openEnvelope(bundle, policy, now);
    expect(Buffer.from(opened.payload)).toEqual(payload);
    expect(opened.signer.id).toBe(signer.keyId);
  });

  it('opens when written by a tool that leaves out empty fields', () => {
    const content = parsed();
    delete content.verificationMaterial.tlogEntries;
    delete content.dsseEnvelope.signatures[0]!.keyid;
    expect(Buffer.from(open(content).payload)).toEqual(payload);
  });

  it.each<[string, string, (bundle: Bundle) => void]>([
    ['no signature', 'signature-count', ({ dsseEnvelope }) => dsseEnvelope.signatures.pop()],
    [
      'a second signature, even a good one',
      'signature-count',
      ({ dsseEnvelope }) => dsseEnvelope.signatures.push(dsseEnvelope.signatures[0]!),
    ],
    [
      'an unknown key',
      'key-unknown',
      (b) => {
        b.verificationMaterial.publicKey.hint = '0'.repeat(64);
      },
    ],
    [
      'a key id that contradicts the hint',
      'key-unknown',
      (b) => {
        b.dsseEnvelope.signatures[0]!.keyid = 'other';
      },
    ],
    [
      'another payload type',
      'payload-type',
      (b) => {
        b.dsseEnvelope.payloadType = 'text/plain';
      },
    ],
    [
      'another payload',
      'signature-invalid',
      (b) => {
        b.dsseEnvelope.payload = 'e30=';
      },
    ],
    [
      'an empty signature',
      'signature-invalid',
      (b) => {
        b.dsseEnvelope.signatures[0]!.sig = '';
      },
    ],
    [
      'base64 without its padding',
      'bundle-invalid',
      (b) => {
        b.dsseEnvelope.payload = 'e30';
      },
    ],
    [
      'base64 with spare bits set',
      'bundle-invalid',
      (b) => {
        b.dsseEnvelope.payload = 'e31=';
      },
    ],
    [
      'base64 for URLs',
      'bundle-invalid',
      (b) => {
        b.dsseEnvelope.payload = '_-8=';
      },
    ],
    [
      'base64 with a line break',
      'bundle-invalid',
      (b) => {
        b.dsseEnvelope.payload = 'e30=\n';
      },
    ],
    [
      'another media type',
      'bundle-invalid',
      (b) => {
        b.mediaType = 'application/json';
      },
    ],
    [
      'a log entry nobody checks',
      'bundle-invalid',
      (b) => {
        b.verificationMaterial.tlogEntries = [{ logIndex: '1' }];
      },
    ],
  ])('is refused with %s', (_, code, change) => {
    const content = parsed();
    change(content);
    expect(() => open(content)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[string, (bundle: Bundle) => object]>([
    ['the bundle', (b) => b],
    ['its verification material', (b) => b.verificationMaterial],
    ['its public key', (b) => b.verificationMaterial.publicKey],
    ['its envelope', (b) => b.dsseEnvelope],
    ['its signature', (b) => b.dsseEnvelope.signatures[0]!],
  ])('is refused with a field of %s that nobody checks', (_, part) => {
    const content = parsed();
    Object.assign(part(content), { approved: true });
    expect(() => open(content)).toThrow(expect.objectContaining({ code: 'bundle-invalid' }));
  });

  it('is refused when a key appears twice, as readers differ in which one counts', () => {
    const twice = Buffer.from(bundle).toString().replace('"payload":', '"payload":"e30=","payload":');
    expect(() => openEnvelope(Buffer.from(twice), policy, now)).toThrow(
      expect.objectContaining({ code: 'bundle-invalid' }),
    );
  });

  it('is refused after any single bit flipped', () => {
    for (let position = 0; position < bundle.length; position++) {
      const flipped = Buffer.from(bundle);
      flipped[position]! ^= 1 << randomStream(1, 'flip', position).integer(8);
      expect(() => openEnvelope(flipped, policy, now)).toThrow(RefusedError);
    }
  });

  it('is only ever refused in a typed way, whatever the bytes', () => {
    const refusedOnly = (bytes: Uint8Array) => {
      expect(() => openEnvelope(bytes, policy, now)).toThrow(RefusedError);
      expect(() => readStatement(bytes, policy, now)).toThrow(RefusedError);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), refusedOnly));
    fc.assert(fc.property(fc.json(), (text) => refusedOnly(Buffer.from(text))));
    // A good bundle with any value in any one place.
    const places: ((bundle: Bundle, value: unknown) => void)[] = [
      (b, value) => Object.assign(b, { mediaType: value }),
      (b, value) => Object.assign(b, { verificationMaterial: value }),
      (b, value) => Object.assign(b.verificationMaterial, { publicKey: value }),
      (b, value) => Object.assign(b, { dsseEnvelope: value }),
      (b, value) => Object.assign(b.dsseEnvelope, { signatures: value }),
      (b, value) => Object.assign(b.dsseEnvelope, { signatures: [{ sig: value, keyid: '' }] }),
      (b, value) => Object.assign(b.dsseEnvelope, { payload: value }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
        const content = parsed();
        place(content, value);
        refusedOnly(Buffer.from(JSON.stringify(content)));
      }),
    );
  });
});

describe('a signed payload', () => {
  it('is only ever refused in a typed way, whatever a trusted key signed', async () => {
    const statement = (predicate: unknown, predicateType: string) => ({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'model', digest: { sha256: '0'.repeat(64) } }],
      predicateType,
      predicate,
    });
    const types = [
      'https://assay.dev/attestation/data/v1',
      'https://model_signing/signature/v1.0',
      'https://slsa.dev/provenance/v1',
      'https://in-toto.io/attestation/test-result/v0.1',
      'https://slsa.dev/verification_summary/v1',
      'https://assay.dev/attestation/approval/v1',
      'https://assay.dev/attestation/release/v1',
      'https://example.com/unknown/v1',
    ];
    const content = fc.oneof(
      fc.jsonValue(),
      fc.tuple(fc.jsonValue(), fc.constantFrom(...types)).map(([value, name]) => statement(value, name)),
    );
    await fc.assert(
      fc.asyncProperty(content, async (value) => {
        const signed = await signEnvelope(signer, type, Buffer.from(JSON.stringify(value)));
        expect(() => readStatement(signed, policy, now)).toThrow(RefusedError);
      }),
    );
  });

  it('is refused when it says a thing twice, or has two subjects', async () => {
    const approval =
      '"predicateType":"https://assay.dev/attestation/approval/v1","predicate":{"decision":"rejected","decision":"approved",' +
      `"person":"p","reason":"r","endpoint":"e","verification":"sha256:${'0'.repeat(64)}","decidedAt":"2026-01-02T03:04:05.000Z"}`;
    const subject = `{"name":"model","digest":{"sha256":"${'0'.repeat(64)}"}}`;
    const text = (subjects: string, body: string) =>
      Buffer.from(`{"_type":"https://in-toto.io/Statement/v1","subject":[${subjects}],${body}}`);
    const once = approval.replace('"decision":"rejected",', '');
    const read = async (bytes: Uint8Array) =>
      readStatement(await signEnvelope(signer, type, bytes), policy, now);
    await expect(read(text(subject, once))).resolves.toMatchObject({ predicate: { decision: 'approved' } });
    for (const bytes of [
      text(subject, approval),
      text(`${subject},${subject}`, once),
      text('', once),
      text(subject, `${once},"extra":1`),
      text(subject, once.replace('"person"', '"extra":1,"person"')),
    ]) {
      await expect(read(bytes)).rejects.toMatchObject({ code: 'statement-invalid' });
    }
  });
});
