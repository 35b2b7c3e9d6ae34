import fc from 'fast-check';
import { RefusedError } from '../../../src/core/errors/index.js';
import { type Digest, nameSchema } from '../../../src/core/spec/index.js';
import { canonicalJson, digestOf } from '../../../src/core/store/index.js';
import {
  type AccessRole,
  accessRoles,
  attestApproval,
  attestRevocation,
  authorizeRelease,
  generateSigningKey,
  mayAskUnsigned,
  openRequest,
  type Person,
  personOf,
  type RequestAction,
  type RequestDraft,
  readSigner,
  readStatement,
  requestActions,
  type Signer,
  signRequest,
  type TrustPolicy,
  trustPolicySchema,
  verifyRelease,
} from '../../../src/core/trust/index.js';
import { mayAsk } from '../../../src/core/trust/people.js';
import { buildChain, type ChainFixture, endpoint, now, releaseWith, removeChain } from './chain-fixture.js';

/** Two keys of Ada's, and one each of the others'. */
const keyNames = ['ada', 'adas-other', 'grace', 'edsger', 'worker'] as const;
type KeyName = (typeof keyNames)[number];

let honest: ChainFixture;
let keys: Readonly<Record<KeyName, Signer>>;
beforeAll(async () => {
  honest = await buildChain();
  const made = keyNames.map(
    async (name) => [name, readSigner((await generateSigningKey()).privateKey)] as const,
  );
  keys = Object.fromEntries(await Promise.all(made)) as typeof keys;
});
afterAll(() => removeChain(honest));

/** Ada runs, approves and releases; Grace and Edsger approve; the worker is nobody. */
function policyWith(changes: object = {}): TrustPolicy {
  const people: readonly Person[] = [
    {
      name: 'ada',
      signers: [keys.ada.keyId, keys['adas-other'].keyId],
      roles: { '*': ['runner', 'approver', 'releaser'] },
    },
    { name: 'grace', signers: [keys.grace.keyId], roles: { [endpoint]: ['approver'] } },
    { name: 'edsger', signers: [keys.edsger.keyId], roles: { '*': ['approver'] } },
  ];
  return trustPolicySchema.parse({
    ...honest.policy,
    keys: [
      ...honest.policy.keys,
      ...keyNames.map((name) => ({
        id: keys[name].keyId,
        publicKey: keys[name].publicKey,
        roles: ['request', 'approval'],
      })),
    ],
    people,
    requests: 'signed',
    ...changes,
  });
}

const draft: RequestDraft = { action: 'approve', endpoint, run: 'run-1', reason: 'fine' };
const about = { subject: digestOf('model'), verification: digestOf('summary') };
const nonce = '0'.repeat(32);
const times = { now, lifetimeMs: 600_000, nonce };

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'granted';
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

describe('what people may ask for', () => {
  /** Written out once more: whoever changes the table has to say so here. */
  const allowed: Readonly<Record<AccessRole, readonly RequestAction[]>> = {
    viewer: [],
    runner: ['run'],
    approver: ['approve', 'reject'],
    releaser: ['rollback'],
    admin: ['freeze', 'unfreeze'],
  };
  const place = fc.stringMatching(/^[a-z]{1,3}$/).filter((name) => nameSchema.safeParse(name).success);
  const someRoles = fc.uniqueArray(fc.constantFrom(...accessRoles), { minLength: 1 });
  const rolesAnywhere = fc.dictionary(fc.oneof(fc.constant('*'), place), someRoles, {
    noNullPrototype: true,
  });

  it('is what one of their roles at that endpoint allows, and never more', () => {
    fc.assert(
      fc.property(rolesAnywhere, place, fc.constantFrom(...requestActions), (roles, where, action) => {
        const held = Object.entries(roles).flatMap(([key, list]) =>
          key === '*' || key === where ? list : [],
        );
        expect(mayAsk({ roles }, action, where)).toBe(held.some((role) => allowed[role].includes(action)));
      }),
      { seed: 7 },
    );
  });

  it('is nothing new without a signature, unless the policy says so', () => {
    const unsigned = (rules: object) => requestActions.filter((action) => mayAskUnsigned(rules, action));
    expect(unsigned({})).toEqual(['reject', 'rollback', 'freeze']);
    expect(unsigned({ unsigned: { allow: [] } })).toEqual([]);
    expect(unsigned({ unsigned: { allow: ['approve'] } })).toEqual(['approve']);
  });

  it('belongs to one person a key, and to keys of the policy alone', () => {
    const ada = personOf(policyWith(), keys['adas-other'].keyId)!;
    expect(ada.name).toBe('ada');
    expect(personOf(policyWith(), keys.worker.keyId)).toBeUndefined();
    const grace = { ...ada, name: 'grace' };
    for (const people of [
      [ada, grace],
      [ada, ada],
      [{ ...ada, signers: ['0'.repeat(64)] }],
      [{ ...ada, name: 'unauthenticated (ada)' }],
    ]) {
      expect(() => policyWith({ people })).toThrow();
    }
  });
});

describe('a signed request', () => {
  const expected = { actions: ['approve', 'reject'], endpoint, run: 'run-1', ...about } as const;
  const sign = (by: KeyName, when: Partial<typeof times> = {}) =>
    signRequest(keys[by], { ...draft, ...about }, { ...times, ...when });
  const open = (signed: string, policy = policyWith(), at = now) =>
    openRequest(Buffer.from(signed), policy, expected, at);

  it('is granted to who has the role, whatever key of theirs signs', async () => {
    for (const by of ['ada', 'adas-other', 'grace', 'edsger'] as const) {
      expect(open(await sign(by)).person.name).toBe(by === 'adas-other' ? 'ada' : by);
    }
  });

  it.each<[string, RequestDraft]>([
    ['another endpoint', { ...draft, ...about, endpoint: 'letters' }],
    ['another run', { ...draft, ...about, run: 'run-2' }],
    ['another model', { ...draft, ...about, subject: digestOf('other') }],
    ['another summary', { ...draft, ...about, verification: digestOf('other') }],
    ['another action', { action: 'rollback', endpoint, reason: 'fine', subject: about.subject }],
  ])('for %s is refused', async (_what, asked) => {
    const signed = await signRequest(keys.edsger, asked, times);
    expect(codeOf(() => open(signed))).toBe('request-mismatch');
  });

  it('is no answer to another question', async () => {
    const signed = Buffer.from(await sign('grace'));
    const rejecting = { ...expected, actions: ['reject'] } as const;
    expect(codeOf(() => openRequest(signed, policyWith(), rejecting, now))).toBe('request-mismatch');
  });

  it('is refused outside of its time, and when it would be good for more than a day', async () => {
    const minutes = (count: number) => new Date(now.getTime() + 60_000 * count);
    const signed = await sign('grace');
    expect([-3, -1, 9, 11].map((at) => codeOf(() => open(signed, policyWith(), minutes(at))))).toEqual([
      'request-expired',
      'granted',
      'granted',
      'request-expired',
    ]);
    const standing = await sign('grace', { lifetimeMs: 25 * 3_600_000 });
    expect(codeOf(() => open(standing))).toBe('request-expired');
  });

  it('is refused to who lacks the role, and says who has it', async () => {
    const viewers = policyWith().people!.map((person) =>
      person.name === 'grace' ? { ...person, roles: { '*': ['viewer'], letters: ['approver'] } } : person,
    );
    const signed = await sign('grace');
    expect(codeOf(() => open(signed, policyWith({ people: viewers })))).toBe('role-missing');
    expect(() => open(signed, policyWith({ people: viewers }))).toThrow(
      /ada, edsger.*got grace, who is viewer/,
    );
  });

  it.each<[string, KeyName, (policy: TrustPolicy) => object, string]>([
    ['a key that is nobody’s', 'worker', () => ({}), 'person-unknown'],
    ['anybody where the policy names no people', 'ada', () => ({ people: undefined }), 'person-unknown'],
    ['a stranger', 'ada', ({ keys: all }) => ({ people: undefined, keys: all.slice(0, 3) }), 'key-unknown'],
    ['a revoked key', 'ada', () => ({ revoked: [`sha256:${keys.ada.keyId}`] }), 'key-revoked'],
    [
      'a key without the role `request`',
      'ada',
      ({ keys: all }) => ({ keys: all.map((key) => ({ ...key, roles: ['approval'] })) }),
      'key-not-allowed',
    ],
    [
      'a key for other endpoints',
      'ada',
      ({ keys: all }) => ({ keys: all.map((key) => ({ ...key, endpoints: ['letters'] })) }),
      'key-not-allowed',
    ],
    [
      'anybody once the policy expired',
      'ada',
      () => ({ expires: '2026-01-01T00:00:00Z' }),
      'trust-policy-expired',
    ],
  ])('by %s is refused', async (_who, by, changes, code) => {
    const policy = policyWith(changes(policyWith()));
    const signed = await sign(by);
    expect(codeOf(() => open(signed, policy))).toBe(code);
  });

  it('that was changed is refused', async () => {
    const bundle = JSON.parse(await sign('ada')) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace('fine', 'nice');
    bundle.dsseEnvelope.payload = Buffer.from(payload).toString('base64');
    expect(codeOf(() => open(JSON.stringify(bundle)))).toBe('signature-invalid');
  });
});

describe('a statement that decides something', () => {
  it('is believed of a person only with the role, whatever the key is listed for', async () => {
    const revocation = { person: 'ada', reason: 'bad labels' };
    const envelope = await attestRevocation(honest.store, keys.ada, digestOf('data'), revocation, now);
    const bundle = await honest.store.readBlob(envelope);
    const policyFor = (roles: readonly AccessRole[]) => {
      const policy = policyWith();
      return policyWith({
        keys: policy.keys.map((key) => (key.id === keys.ada.keyId ? { ...key, roles: ['revocation'] } : key)),
        people: policy.people!.map((person) =>
          person.name === 'ada' ? { ...person, roles: { '*': roles } } : person,
        ),
      });
    };
    expect(codeOf(() => readStatement(bundle, policyFor(['runner', 'approver', 'releaser']), now))).toBe(
      'role-missing',
    );
    expect(codeOf(() => readStatement(bundle, policyFor(['admin']), now))).toBe('granted');
  });
});

describe('a release that people asked for', () => {
  const order = (to = endpoint) =>
    canonicalJson({ lifecycle: { name: 'digits', release: { endpoint: to } } });
  const file = async (by: KeyName, asked: RequestDraft) =>
    honest.store.putBlob(Buffer.from(await signRequest(keys[by], asked, times)));
  const runBy = async (by: KeyName, to?: string) => {
    const subject = await honest.store.putBlob(Buffer.from(order(to)));
    return file(by, { action: 'run', endpoint, run: 'run-1', subject, reason: 'a run' });
  };
  const approvalBy = (by: KeyName, action: 'approve' | 'reject' = 'approve') => {
    const { model: subject, chain } = honest;
    return file(by, { ...draft, action, subject, verification: chain.verification });
  };
  const release = (
    requests: readonly Digest[],
    approvals: readonly Digest[] = [],
    record: Partial<ChainFixture['record']> = {},
  ) =>
    releaseWith(honest, {
      chain: {
        verification: honest.chain.verification,
        ...(approvals.length > 0 && { approvals: [...approvals] }),
      },
      record: { ...(requests.length > 0 && { requests: [...requests] }), ...record },
    });
  const failuresOf = async (digest: Digest, changes: object = {}) => {
    const verification = await verifyRelease(honest.store, policyWith(changes), digest, { at: now });
    return verification.ok ? [] : verification.failures.map(({ link, code }) => `${link}: ${code}`);
  };
  const two = { endpoints: { [endpoint]: { approval: { threshold: 2 } } } };

  it('verifies when a releaser asked for the run and others approved', async () => {
    expect(await failuresOf(await release([await runBy('ada')]))).toEqual([]);
    const approved = await release(
      [await runBy('ada')],
      [await approvalBy('grace'), await approvalBy('edsger')],
    );
    expect(await failuresOf(approved, two)).toEqual([]);
  });

  it('does not verify when all approvals are by who asked for the run, by any key', async () => {
    const alone = await release(
      [await runBy('ada')],
      [await approvalBy('ada'), await approvalBy('adas-other')],
    );
    expect(await failuresOf(alone, { endpoints: { [endpoint]: { approval: true } } })).toEqual([
      'approval: approval-self',
      'approval: approval-self',
      'approval: approval-missing',
    ]);
    const none = { endpoints: { [endpoint]: { approval: true } }, separationOfDuties: 'none' };
    expect(await failuresOf(alone, none)).toEqual([]);
  });

  it('counts two keys of one person once', async () => {
    const people = policyWith().people!.map((person) =>
      person.name === 'edsger' ? { ...person, roles: { '*': ['runner', 'releaser'] } } : person,
    );
    const twice = await release(
      [await runBy('edsger')],
      [await approvalBy('ada'), await approvalBy('adas-other')],
      { requestedBy: 'edsger' },
    );
    expect(await failuresOf(twice, { ...two, people })).toEqual([
      'approval: approval-repeated',
      'approval: approval-missing',
    ]);
  });

  it.each<[string, () => Promise<Digest>, object, readonly string[]]>([
    [
      'nobody signed for the run',
      () => release([]),
      {},
      ['request: request-missing', 'request: request-missing', 'request: role-missing'],
    ],
    [
      'somebody asked who may not',
      async () => release([await runBy('grace')], [], { requestedBy: 'grace' }),
      {},
      [
        'request: role-missing',
        'request: request-missing',
        'request: request-missing',
        'request: role-missing',
      ],
    ],
    [
      'it is in the name of another',
      async () => release([await runBy('ada')], [], { requestedBy: 'grace' }),
      {},
      ['request: request-missing'],
    ],
    [
      'the run was to release elsewhere',
      async () => release([await runBy('ada', 'letters')]),
      {},
      ['request: request-mismatch'],
    ],
    [
      'an approval is a rejection',
      async () => release([await runBy('ada')], [await approvalBy('grace', 'reject')]),
      {},
      ['approval: approval-rejected'],
    ],
    [
      'a worker approved in a name',
      async () =>
        release(
          [await runBy('ada')],
          [
            await attestApproval(
              honest.store,
              keys.worker,
              honest.model,
              {
                decision: 'approved',
                person: 'grace',
                reason: 'x',
                endpoint,
                verification: honest.chain.verification,
              },
              now,
            ),
          ],
        ),
      {},
      ['approval: role-missing'],
    ],
    [
      'a person approved in the name of another',
      async () =>
        release(
          [await runBy('ada')],
          [
            await attestApproval(
              honest.store,
              keys.grace,
              honest.model,
              {
                decision: 'approved',
                person: 'edsger',
                reason: 'x',
                endpoint,
                verification: honest.chain.verification,
              },
              now,
            ),
          ],
        ),
      {},
      ['approval: person-mismatch'],
    ],
  ])('does not verify when %s', async (_why, make, changes, codes) => {
    expect(await failuresOf(await make(), changes)).toEqual(codes);
  });

  it('needs a releaser among those who asked and approved', async () => {
    const roles = (name: string, ...held: AccessRole[]) =>
      policyWith().people!.map((person) =>
        person.name === name ? { ...person, roles: { '*': held } } : person,
      );
    const alone = await release([await runBy('ada')]);
    expect(await failuresOf(alone, { people: roles('ada', 'runner') })).toEqual(['request: role-missing']);
    const helped = await release([await runBy('ada')], [await approvalBy('grace')]);
    const people = roles('ada', 'runner').map((person) =>
      person.name === 'grace'
        ? { ...person, roles: { '*': ['approver', 'releaser'] as AccessRole[] } }
        : person,
    );
    expect(await failuresOf(helped, { people })).toEqual([]);
  });

  it('is authorised for a run of its own', async () => {
    const { model, chain } = honest;
    const run = await runBy('ada');
    const ask = (requests?: Digest[]) =>
      authorizeRelease(
        honest.store,
        policyWith({ requests: 'any' }),
        { endpoint, model, chain, ...(requests && { requests }) },
        now,
      );
    expect(await ask([run])).toEqual({ requestedBy: 'ada', nonces: [nonce], failures: [] });
    const { failures, nonces } = await ask();
    expect([nonces, failures.map(({ code }) => code)]).toEqual([
      [],
      ['request-missing', 'request-missing', 'role-missing'],
    ]);
  });

  it('carries the signed request of who rolled back, unless the policy lets anybody', async () => {
    const subject = honest.release;
    const rollback = { kind: 'rollback', revision: 2, restores: 1, previous: honest.release } as const;
    const run = await runBy('ada');
    const by = await file('ada', { action: 'rollback', endpoint, subject, reason: 'drill' });
    const cannot = await file('grace', { action: 'rollback', endpoint, subject, reason: 'drill' });
    expect(await failuresOf(await release([run, by], [], rollback))).toEqual([]);
    expect(
      await failuresOf(await release([run, cannot], [], { ...rollback, requestedBy: 'grace' })),
    ).toContain('request: role-missing');
    const anonymous = await release([run], [], { ...rollback, requestedBy: 'unauthenticated (ada)' });
    expect(await failuresOf(anonymous)).toEqual([]);
    expect(await failuresOf(anonymous, { unsigned: { allow: [] } })).toEqual(['request: request-missing']);
    expect(await failuresOf(await release([run], [], { ...rollback, requestedBy: 'ada' }))).toEqual([
      'request: request-missing',
    ]);
  });
});
