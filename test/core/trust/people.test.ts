import type { Digest, GateSpec, Verdict } from '../../../src/core/spec/index.js';
import {
  attestApproval,
  attestVerdicts,
  attestWaiver,
  generateSigningKey,
  keyIdOf,
  readSigner,
  readStatement,
  type Signer,
  type TrustPolicy,
  trustPolicySchema,
  verifyRelease,
} from '../../../src/core/trust/index.js';
import {
  buildChain,
  type ChainFixture,
  decideAgain,
  endpoint,
  gates,
  now,
  releaseWith,
  removeChain,
  verdictOf,
} from './chain-fixture.js';

/** People with keys of their own, beside those that the fixture has for workers. */
const names = ['ada', 'grace', 'edsger', 'mallory'] as const;
type Name = (typeof names)[number];

let honest: ChainFixture;
let people: Readonly<Record<Name, { readonly signer: Signer; readonly publicKey: string }>>;
beforeAll(async () => {
  honest = await buildChain();
  const made = await Promise.all(
    names.map(async (name) => {
      const { privateKey, publicKey } = await generateSigningKey();
      return [name, { signer: readSigner(privateKey), publicKey }] as const;
    }),
  );
  people = Object.fromEntries(made) as typeof people;
});
afterAll(() => removeChain(honest));

type EndpointRules = TrustPolicy['endpoints'][string];

/** Ada, Grace and Edsger may approve and waive; Mallory may do neither. */
function policyWith(rules: object, changes: object = {}): TrustPolicy {
  const keyOf = (name: Name) => ({
    id: keyIdOf(people[name].publicKey),
    publicKey: people[name].publicKey,
    roles: name === 'mallory' ? ['data'] : ['approval', 'waiver'],
  });
  return trustPolicySchema.parse({
    ...honest.policy,
    keys: [...honest.policy.keys, ...names.map(keyOf)],
    endpoints: { [endpoint]: rules },
    ...changes,
  });
}

async function failuresOf(release: Digest, policy: TrustPolicy, at = now): Promise<readonly string[]> {
  const verification = await verifyRelease(honest.store, policy, release, { at });
  return verification.ok ? [] : verification.failures.map(({ link, code }) => `${link}: ${code}`);
}

describe('two of three approvers', () => {
  const rules: Partial<EndpointRules> = { approval: { threshold: 2 } };
  const approvedBy = async (...by: (Name | Signer)[]) => {
    const { store, model, chain } = honest;
    const approvals = await Promise.all(
      by.map((who) =>
        attestApproval(
          store,
          typeof who === 'string' ? people[who].signer : who,
          model,
          // The name is only a claim: it is the key that counts.
          { decision: 'approved', person: 'ada', reason: 'fine', endpoint, verification: chain.verification },
          now,
        ),
      ),
    );
    return releaseWith(honest, { chain: { verification: chain.verification, approvals } });
  };

  it('are enough, whoever they are', async () => {
    expect(await failuresOf(await approvedBy('ada', 'edsger'), policyWith(rules))).toEqual([]);
    expect(await failuresOf(await approvedBy('grace', 'edsger', 'ada'), policyWith(rules))).toEqual([]);
  });

  it('are not one, nor the same one twice', async () => {
    expect(await failuresOf(await approvedBy('ada'), policyWith(rules))).toEqual([
      'approval: approval-missing',
    ]);
    expect(await failuresOf(await approvedBy('ada', 'ada'), policyWith(rules))).toEqual([
      'approval: approval-repeated',
      'approval: approval-missing',
    ]);
  });

  it('are not one and a stranger to the role', async () => {
    expect(await failuresOf(await approvedBy('ada', 'mallory'), policyWith(rules))).toEqual([
      'approval: key-not-allowed',
      'approval: approval-missing',
    ]);
  });

  it('are not one and the one who trained, though that one may approve', async () => {
    const { provenance } = honest.signers;
    const keys = policyWith(rules).keys.map((key) =>
      key.id === provenance.keyId ? { ...key, roles: [...key.roles, 'approval'] } : key,
    );
    expect(await failuresOf(await approvedBy('ada', provenance), policyWith(rules, { keys }))).toEqual([
      'approval: approval-self',
      'approval: approval-missing',
    ]);
  });
});

describe('a waiver', () => {
  const rules = { gates: [...gates], waivable: [{ gate: 'evasion' }] };
  const inAnHour = new Date(now.getTime() + 3_600_000);

  /** A release of a model whose evasion gate did not pass, by a verifier who looked at nothing. */
  async function waived(
    status: Verdict['status'],
    {
      by = 'ada',
      again = false,
      ...changes
    }: { by?: Name; again?: boolean; gate?: string; endpoint?: string } = {},
  ): Promise<Digest> {
    const { store, signers, model, snapshot } = honest;
    const verdicts = await Promise.all(
      gates.map((gate: GateSpec) => verdictOf(store, gate, gate.gate === 'evasion' ? { status, n: 50 } : {})),
    );
    const run = () =>
      attestVerdicts(store, signers.test, gates, verdicts, { model, snapshot }, decideAgain(store));
    const tests = await run();
    const result = again ? (await run())[1]! : tests[1]!;
    const waiver = await attestWaiver(
      store,
      people[by].signer,
      model,
      {
        ...{ endpoint, gate: 'evasion', result, person: 'ada', reason: 'a demonstration' },
        expires: inAnHour.toISOString(),
        ...changes,
      },
      now,
    );
    return releaseWith(honest, { chain: { tests: [...tests], waivers: [waiver] } });
  }

  it('lets a doubtful gate pass where the policy lets people waive it', async () => {
    expect(await failuresOf(await waived('inconclusive'), policyWith(rules))).toEqual([]);
  });

  it('lets no failure pass, unless the policy goes as far as that', async () => {
    const release = await waived('fail');
    expect(await failuresOf(release, policyWith(rules))).toEqual([
      'tests: gate-failed',
      'tests: gate-weaker',
    ]);
    const bold = { ...rules, waivable: [{ gate: 'evasion', status: 'fail' }] };
    expect(await failuresOf(release, policyWith(bold))).toEqual([]);
  });

  it.each<[string, Parameters<typeof waived>[1], object, readonly string[]]>([
    ['by somebody who may not', { by: 'mallory' }, rules, ['waivers: key-not-allowed']],
    ['of another gate', { gate: 'accuracy' }, rules, ['waivers: waiver-mismatch']],
    ['of another run of the gate', { again: true }, rules, ['waivers: waiver-mismatch']],
    ['for another endpoint', { endpoint: 'letters' }, rules, ['waivers: waiver-mismatch']],
    ['where the policy allows none', {}, { gates: [...gates] }, ['waivers: waiver-mismatch']],
  ])('counts for nothing %s', async (_, changes, allowed, codes) => {
    const failures = await failuresOf(await waived('inconclusive', changes), policyWith(allowed));
    expect(failures).toEqual([...codes, 'tests: gate-failed', 'tests: gate-weaker']);
  });

  it('counts for nothing once it has expired', async () => {
    const tomorrow = new Date(now.getTime() + 24 * 3_600_000);
    expect(await failuresOf(await waived('inconclusive'), policyWith(rules), tomorrow)).toContain(
      'waivers: waiver-mismatch',
    );
  });

  it('shows in the summary, which does not say that all gates passed', async () => {
    const release = await waived('inconclusive');
    const record = (await readReleaseOf(release)).chain;
    const { waivers: _, ...without } = record;
    const hidden = await releaseWith(honest, { chain: { ...without, waivers: undefined } });
    expect(await failuresOf(hidden, policyWith(rules))).toEqual(
      expect.arrayContaining(['verification: summary-failed', 'verification: inputs-mismatch']),
    );
  });
});

async function readReleaseOf(release: Digest) {
  const { predicate } = readStatement(await honest.store.readBlob(release), honest.policy, now);
  return predicate as typeof honest.record;
}

describe('a trust policy', () => {
  it('that has expired lets nothing in', async () => {
    const expires = new Date(now.getTime() - 1).toISOString();
    expect(await failuresOf(honest.release, policyWith({}, { expires }))).toEqual(['policy: policy-expired']);
    expect(await failuresOf(honest.release, policyWith({}, { expires: now.toISOString() }))).toEqual([]);
  });

  it('revokes whatever it names, though it is well signed', async () => {
    const { chain, release, model, snapshot } = honest;
    const links: readonly (readonly [string, Digest])[] = [
      ['release', release],
      ['model', model],
      ['signature', chain.signature],
      ['provenance', chain.provenance],
      ['data', chain.data],
      ['data', snapshot],
      ['tests', chain.tests[0]!],
      ['verification', chain.verification],
    ];
    for (const [link, digest] of links) {
      expect(await failuresOf(release, policyWith({}, { revoked: [digest] }))).toEqual([`${link}: revoked`]);
    }
  });
});
