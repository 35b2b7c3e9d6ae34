import type { Digest } from '../../../src/core/spec/index.js';
import { digestOf, type Store } from '../../../src/core/store/index.js';
import {
  type ExpectedRelease,
  type Signer,
  type StatementRole,
  signEnvelope,
  statementRoles,
  type TrustPolicy,
  trustPolicySchema,
  verifyRelease,
} from '../../../src/core/trust/index.js';
import { buildChain, type ChainFixture, endpoint, now, releaseWith, removeChain } from './chain-fixture.js';

const intoto = 'application/vnd.in-toto+json';
const earlier = new Date(now.getTime() - 1).toISOString();

/** Whoever attacks holds the keys for summaries and releases besides, so that it is the link under attack that refuses. */
interface Attack {
  readonly name: string;
  readonly release: Digest;
  readonly policy?: TrustPolicy;
  readonly expected?: ExpectedRelease;
}

type Slot = 'data' | 'signature' | 'provenance' | 'accuracy' | 'evasion' | 'verification' | 'release';
const links: readonly Slot[] = ['data', 'signature', 'provenance', 'accuracy', 'evasion'];
const slots: readonly Slot[] = [...links, 'verification', 'release'];
const roleOf: Readonly<Record<Slot, StatementRole>> = {
  ...{ data: 'data', signature: 'model', provenance: 'provenance', accuracy: 'test', evasion: 'test' },
  ...{ verification: 'verification', release: 'release' },
};

let honest: ChainFixture;
let other: ChainFixture;
beforeAll(async () => {
  honest = await buildChain();
  // Another model of the same makers, whose statements are all in order, lies in the same store.
  other = await buildChain({ rows: 'other rows', trust: honest });
  honest = { ...honest, store: overlay(honest.store, other.store) };
});
afterAll(() => Promise.all([removeChain(honest), removeChain(other)]));

/** What attacks write stays in memory: they are many, and a disk is slow. */
function overlay(store: Store, second: Store): Store {
  const blobs = new Map<Digest, Uint8Array>();
  return {
    ...store,
    async putBlob(source) {
      const digest = digestOf(source as Uint8Array);
      blobs.set(digest, source as Uint8Array);
      return digest;
    },
    readBlob: async (digest, atMost) =>
      blobs.get(digest) ?? (await ((await store.hasBlob(digest)) ? store : second).readBlob(digest, atMost)),
    readTree: async (digest) => ((await store.hasBlob(digest)) ? store : second).readTree(digest),
    attach: async () => undefined,
  };
}

function at({ chain, release }: ChainFixture, slot: Slot): Digest {
  if (slot === 'release') return release;
  if (slot === 'accuracy' || slot === 'evasion') return chain.tests[slot === 'accuracy' ? 0 : 1]!;
  return chain[slot];
}

/** A release whose chain holds another statement in one place, summed up and signed as if it were in order. */
async function withStatement(slot: Slot, digest: Digest): Promise<Digest> {
  if (slot === 'release') return digest;
  const [accuracy, evasion] = honest.chain.tests as [Digest, Digest];
  if (slot === 'accuracy') return releaseWith(honest, { chain: { tests: [digest, evasion] } });
  if (slot === 'evasion') return releaseWith(honest, { chain: { tests: [accuracy, digest] } });
  return releaseWith(honest, { chain: { [slot]: digest } });
}

interface Envelope {
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
  verificationMaterial: { publicKey: { hint: string } };
}

async function envelopeAt(digest: Digest): Promise<Envelope> {
  return JSON.parse(Buffer.from(await honest.store.readBlob(digest)).toString()) as Envelope;
}

interface Statement {
  subject: { name: string; digest: { sha256: string } }[];
  predicateType: string;
}

/** The same statement, changed or not, under another signature. */
async function signedBy(
  signer: Signer,
  digest: Digest,
  change: (statement: Statement) => void = () => undefined,
): Promise<Digest> {
  const { dsseEnvelope } = await envelopeAt(digest);
  const statement = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()) as Statement;
  change(statement);
  return honest.store.putBlob(await signEnvelope(signer, intoto, Buffer.from(JSON.stringify(statement))));
}

async function edited(digest: Digest, edit: (envelope: Envelope) => void): Promise<Digest> {
  const envelope = await envelopeAt(digest);
  edit(envelope);
  return honest.store.putBlob(Buffer.from(JSON.stringify(envelope)));
}

const attempt = async (name: string, slot: Slot, statement: Promise<Digest> | Digest): Promise<Attack> => ({
  name: `${slot}: ${name}`,
  release: await withStatement(slot, await statement),
});

/** Statements in each other's place, those of another model, and those of nobody's. */
const swaps = () => [
  ...slots.flatMap((slot) =>
    slots
      .filter((from) => from !== slot)
      .map((from) => attempt(`${from} in its place`, slot, at(honest, from))),
  ),
  ...links.map((slot) => attempt('of another model', slot, at(other, slot))),
  ...slots.map((slot) => attempt('of nobody', slot, digestOf('nothing'))),
];

/** Every statement under every key that may not make it, and under the right one's name. */
const wrongKeys = () =>
  slots.flatMap((slot) => {
    const right = honest.signers[roleOf[slot]];
    return statementRoles
      .filter((role) => role !== roleOf[slot])
      .flatMap((role) => {
        const wrong = honest.signers[role];
        return [
          attempt(`signed by the key for ${role}`, slot, signedBy(wrong, at(honest, slot))),
          attempt(
            `signed by the key for ${role} under the right name`,
            slot,
            signedBy({ ...wrong, keyId: right.keyId }, at(honest, slot)),
          ),
        ];
      });
  });

/** Envelopes that say more, or less, than was signed. */
const envelopes = () =>
  slots.flatMap((slot) => {
    const edits: Readonly<Record<string, (envelope: Envelope) => void>> = {
      'its signature twice': ({ dsseEnvelope }) => dsseEnvelope.signatures.push(dsseEnvelope.signatures[0]!),
      'no signature': ({ dsseEnvelope }) => dsseEnvelope.signatures.pop(),
      'another payload type': ({ dsseEnvelope }) => {
        dsseEnvelope.payloadType = 'application/json';
      },
      'the key id of another': ({ dsseEnvelope }) => {
        dsseEnvelope.signatures[0]!.keyid = honest.signers.data.keyId.replace(/^./, 'x');
      },
      'a field nobody reads': (envelope) => Object.assign(envelope, { waived: true }),
    };
    return Object.entries(edits).map(([name, edit]) => attempt(name, slot, edited(at(honest, slot), edit)));
  });

/** What the right key signed, but about something else, or as something else. */
const otherStatements = () =>
  slots.flatMap((slot) => {
    const right = honest.signers[roleOf[slot]];
    const resigned = (change: (statement: Statement) => void) => signedBy(right, at(honest, slot), change);
    const types = ['https://assay.dev/attestation/approval/v1', 'https://example.com/unknown/v1'];
    return [
      attempt(
        'about another artifact',
        slot,
        resigned((s) => Object.assign(s.subject[0]!.digest, { sha256: '0'.repeat(64) })),
      ),
      attempt(
        'about two artifacts',
        slot,
        resigned((s) => s.subject.push(s.subject[0]!)),
      ),
      attempt(
        'about nothing',
        slot,
        resigned((s) => s.subject.pop()),
      ),
      ...types.map((type) =>
        attempt(
          `as ${type}`,
          slot,
          resigned((s) => Object.assign(s, { predicateType: type })),
        ),
      ),
    ];
  });

/** The right release, to a verifier who knows better. */
function replays(): readonly Attack[] {
  const { policy, release, signers, chain, model, snapshot } = honest;
  const changed = (changes: object) => trustPolicySchema.parse({ ...policy, ...changes });
  const keysWithout = (role: StatementRole) => policy.keys.filter(({ id }) => id !== signers[role].keyId);
  const roles = [...new Set(Object.values(roleOf))];
  return [
    { name: 'the revision that is served', release, expected: { afterRevision: 1 } },
    { name: 'an older revision', release, expected: { afterRevision: 7 } },
    { name: 'another endpoint', release, expected: { endpoint: 'letters' } },
    { name: 'an expired policy', release, policy: changed({ expires: earlier }) },
    ...roles.map((role) => ({
      name: `${role}: a key that is gone`,
      release,
      policy: changed({ keys: keysWithout(role) }),
    })),
    ...roles.map((role) => ({
      name: `${role}: a key for another endpoint`,
      release,
      policy: changed({
        keys: policy.keys.map((key) =>
          key.id === signers[role].keyId ? { ...key, endpoints: ['letters'] } : key,
        ),
      }),
    })),
    ...[
      release,
      model,
      snapshot,
      chain.data,
      chain.signature,
      chain.provenance,
      ...chain.tests,
      chain.verification,
    ].map((digest) => ({ name: `${digest} revoked`, release, policy: changed({ revoked: [digest] }) })),
  ];
}

/** Chains and records that do not go together. */
async function chains(): Promise<readonly Attack[]> {
  const { chain } = honest;
  const { data, signature, provenance, tests } = other.chain;
  const [accuracy, evasion] = chain.tests as [Digest, Digest];
  const made: Readonly<Record<string, Parameters<typeof releaseWith>[1]>> = {
    'another model under this chain': { model: other.model },
    'this model under another chain': { chain: { data, signature, provenance, tests } },
    'no evasion test': { chain: { tests: [accuracy] } },
    'no accuracy test': { chain: { tests: [evasion] } },
    'one test twice': { chain: { tests: [accuracy, evasion, evasion] } },
    'the summary of another model': { chain: { verification: other.chain.verification } },
    'an approval that is none': { chain: { approvals: [chain.data] } },
    'a waiver that is none': { chain: { waivers: [chain.data] } },
    'the record of another endpoint': { record: { endpoint: 'letters' } },
  };
  return Promise.all(
    Object.entries(made).map(async ([name, changes]) => ({
      name,
      release: await releaseWith(honest, changes),
      expected: { endpoint },
    })),
  );
}

describe('structural attacks', () => {
  it('are all refused: at least 250 of them, and the honest release of either model is not', async () => {
    const attacks = [
      ...(await Promise.all([...swaps(), ...wrongKeys(), ...envelopes(), ...otherStatements()])),
      ...replays(),
      ...(await chains()),
    ];
    expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length);
    expect(attacks.length).toBeGreaterThanOrEqual(250);
    const accepted: string[] = [];
    for (const { name, release, policy = honest.policy, expected = {} } of attacks) {
      const verification = await verifyRelease(honest.store, policy, release, { at: now, ...expected });
      if (verification.ok) accepted.push(name);
    }
    expect(accepted).toEqual([]);
    for (const fixture of [honest, other]) {
      const { release } = fixture;
      expect(await verifyRelease(honest.store, honest.policy, release, { at: now })).toMatchObject({
        ok: true,
      });
    }
  });
});
