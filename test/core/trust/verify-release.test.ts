import { TransientError } from '../../../src/core/errors/index.js';
import {
  type Digest,
  type GateSpec,
  gatesSchema,
  type ReleaseRecord,
  servingSchema,
  type Verdict,
} from '../../../src/core/spec/index.js';
import { canonicalJson, digestOf, type Store } from '../../../src/core/store/index.js';
import { attest } from '../../../src/core/trust/attest.js';
import {
  attestApproval,
  generateSigningKey,
  readSigner,
  type Signer,
  signModel,
  type TrustPolicy,
  verifyRelease,
} from '../../../src/core/trust/index.js';
import { inputsOf } from '../../../src/core/trust/links/verification-summary.js';
import { dataPredicate } from '../../../src/core/trust/statements/data.js';
import { descriptorOf, digestSetOf } from '../../../src/core/trust/statements/predicate.js';
import { provenancePredicate, trainingBuildType } from '../../../src/core/trust/statements/provenance.js';
import { releasePredicate } from '../../../src/core/trust/statements/release.js';
import { testResultPredicate } from '../../../src/core/trust/statements/test-result.js';
import {
  gatesPassedLevel,
  verificationPredicate,
} from '../../../src/core/trust/statements/verification-summary.js';
import {
  buildChain,
  builder,
  type ChainFixture,
  cardFor,
  checks,
  endpoint,
  gates,
  modelFiles,
  now,
  putFiles,
  releaseWith,
  removeChain,
  testRows,
  training,
  verdictOf,
} from './chain-fixture.js';

let honest: ChainFixture;
beforeAll(async () => {
  honest = await buildChain();
});
afterAll(() => removeChain(honest));

const other = digestOf('another artifact');

/** Every failure as `link: code`, in order; empty for a release that may be served. */
async function failuresOf(
  release: Digest,
  options: {
    readonly policy?: TrustPolicy;
    readonly store?: Store;
    readonly endpoint?: string;
    readonly afterRevision?: number;
  } = {},
): Promise<readonly string[]> {
  const { policy = honest.policy, store = honest.store, ...expected } = options;
  const verification = await verifyRelease(store, policy, release, expected);
  return verification.ok ? [] : verification.failures.map(({ link, code }) => `${link}: ${code}`);
}

describe('an honest release', () => {
  it('verifies, and hands over the bytes that were verified', async () => {
    const verification = await verifyRelease(honest.store, honest.policy, honest.release, {
      endpoint,
      afterRevision: 0,
    });
    if (!verification.ok) throw new Error(JSON.stringify(verification.failures));
    const { verified } = verification;
    expect(verified.release).toEqual(honest.record);
    expect(verified.card).toEqual(cardFor(honest.snapshot));
    expect(Buffer.from(verified.onnx).toString()).toBe(modelFiles(honest.snapshot)['model.onnx']);
    expect(verified.digest).toBe(honest.release);
  });

  it('still verifies after an attack was built beside it in the same store', async () => {
    expect(await failuresOf(await releaseWith(honest, {}))).toEqual([]);
  });

  it('verifies as a rollback, which is a new revision of an old model', async () => {
    const record = { revision: 3, kind: 'rollback', restores: 1, previous: other } as const;
    const rollback = await releaseWith(honest, { record });
    expect(await failuresOf(rollback, { endpoint, afterRevision: 2 })).toEqual([]);
  });

  it('files every statement under the artifact it speaks about', async () => {
    const { chain, store, snapshot, model, release } = honest;
    expect(await store.referrers(snapshot)).toContain(chain.data);
    const about = await store.referrers(model);
    for (const digest of [chain.signature, chain.provenance, ...chain.tests, chain.verification, release]) {
      expect(about).toContain(digest);
    }
  });
});

describe('the release link', () => {
  it('refuses another endpoint than the one that would serve', async () => {
    expect(await failuresOf(honest.release, { endpoint: 'letters' })).toEqual(['release: endpoint-mismatch']);
  });

  it('refuses a replay of the revision served now, and of older ones', async () => {
    expect(await failuresOf(honest.release, { afterRevision: 1 })).toEqual(['release: revision-downgraded']);
    expect(await failuresOf(honest.release, { afterRevision: 9 })).toEqual(['release: revision-downgraded']);
  });

  it('refuses a statement that is filed under another model than it names', async () => {
    const release = await attest(
      honest.store,
      honest.signers.release,
      releasePredicate,
      'model',
      other,
      honest.record,
    );
    expect(await failuresOf(release)).toEqual(['release: subject-mismatch']);
  });

  it.each<[string, object]>([
    ['a later revision without one before it', { revision: 2 }],
    ['a rollback to nothing', { kind: 'rollback' }],
    ['a rollback to the future', { kind: 'rollback', restores: 3, revision: 2, previous: other }],
    ['a field nobody checks', { waived: true }],
  ])('never signs %s', async (_, record) => {
    await expect(releaseWith(honest, { record })).rejects.toMatchObject({ code: 'statement-invalid' });
  });

  it('says so when the envelope is not in the store, and when another kind of statement stands there', async () => {
    expect(await failuresOf(other)).toEqual(['release: blob-missing']);
    expect(await failuresOf(honest.chain.provenance)).toEqual(['release: statement-type']);
  });
});

describe('the model link', () => {
  const signed = async (files: Record<string, string>) => {
    const model = await putFiles(honest, files);
    const entries = await honest.store.readTree(model);
    const bundle = await signModel(honest.signers.model, { name: 'digits', files: entries });
    const chain = { ...(await statementsAbout(model)), signature: await honest.store.putBlob(bundle) };
    return releaseWith(honest, { model, chain });
  };

  it('refuses a file beside the three, even one that is signed', async () => {
    const release = await signed({ ...modelFiles(honest.snapshot), 'plugin.py': 'import os' });
    expect(await failuresOf(release)).toEqual(['model: model-files']);
  });

  it('reports a tree whose names leave the folder, and does not throw', async () => {
    const entries = ['../model.onnx', 'metrics.json', 'model-card.json'].map((path) => ({
      path,
      digest: other,
      size: 1,
    }));
    const tree = canonicalJson({ kind: 'assay-tree', version: 1, entries });
    const model = await honest.store.putBlob(Buffer.from(tree));
    const release = await releaseWith(honest, { model, chain: await statementsAbout(model) });
    expect(await failuresOf(release)).toEqual(['model: tree-invalid']);
  });

  it('refuses a folder without its metrics', async () => {
    const { 'metrics.json': _, ...files } = modelFiles(honest.snapshot);
    expect(await failuresOf(await signed(files))).toEqual(['model: model-files']);
  });

  it('refuses a card that is not one, and one that says a thing twice', async () => {
    const files = modelFiles(honest.snapshot);
    const twice = files['model-card.json']!.replace('{', '{"version":1,');
    expect(await failuresOf(await signed({ ...files, 'model-card.json': twice }))).toEqual([
      'model: card-invalid',
    ]);
    const unknown = files['model-card.json']!.replace('{', '{"trust":"me",');
    expect(await failuresOf(await signed({ ...files, 'model-card.json': unknown }))).toEqual([
      'model: card-invalid',
    ]);
  });

  it('takes the digest of what it reads, whatever the store says it checked', async () => {
    const lying: Store = {
      ...honest.store,
      readBlob: async (digest) => {
        const bytes = Buffer.from(await honest.store.readBlob(digest));
        return bytes.includes('"accuracy":0.9') && bytes.length < 20
          ? Buffer.from('{"accuracy":1.0}')
          : bytes;
      },
    };
    expect(await failuresOf(honest.release, { store: lying })).toEqual(['model: blob-corrupt']);
  });

  it('reports a model whose bytes are gone, and goes on along the chain', async () => {
    const gone = await releaseWith(honest, { model: other });
    expect(await failuresOf(gone)).toEqual([
      'model: blob-missing',
      'provenance: subject-mismatch',
      'tests: subject-mismatch',
      'tests: subject-mismatch',
    ]);
  });
});

describe('the signature link', () => {
  it('refuses the signature of other files', async () => {
    const files = { ...modelFiles(honest.snapshot), 'model.onnx': 'another graph' };
    const model = await putFiles(honest, files);
    const release = await releaseWith(honest, { model, chain: await statementsAbout(model) });
    expect(await failuresOf(release)).toEqual(['signature: model-mismatch']);
  });

  it('refuses the right files under another name', async () => {
    const entries = await honest.store.readTree(honest.model);
    const bundle = await signModel(honest.signers.model, { name: 'letters', files: entries });
    const release = await releaseWith(honest, { chain: { signature: await honest.store.putBlob(bundle) } });
    expect(await failuresOf(release)).toEqual(['signature: model-mismatch']);
  });
});

describe('the provenance link', () => {
  it.each<[string, Parameters<typeof provenanceOf>[0], string]>([
    ['another model', { model: other }, 'subject-mismatch'],
    ['a model trained on another snapshot', { snapshot: other }, 'materials-mismatch'],
    ['no environment', { environment: undefined }, 'materials-mismatch'],
    ['another seed than the card says', { seed: 8 }, 'card-mismatch'],
    ['another name than the card says', { name: 'letters' }, 'card-mismatch'],
  ])('refuses the provenance of %s', async (_, changes, code) => {
    const release = await releaseWith(honest, { chain: { provenance: await provenanceOf(changes) } });
    expect(await failuresOf(release)).toEqual([`provenance: ${code}`]);
  });
});

describe('the data link', () => {
  it.each<[string, Parameters<typeof dataOf>[0], string]>([
    ['another snapshot', { snapshot: other }, 'subject-mismatch'],
    ['other classes than the card says', { classes: ['one', 'zero'] }, 'card-mismatch'],
    ['other columns than the card says', { columns: ['b', 'a'] }, 'card-mismatch'],
  ])('refuses a statement about %s', async (_, changes, code) => {
    const release = await releaseWith(honest, { chain: { data: await dataOf(changes) } });
    expect(await failuresOf(release)).toEqual([`data: ${code}`]);
  });
});

describe('the tests link', () => {
  const [accuracy, evasion] = gates as [GateSpec, GateSpec];
  const verdicts = (changes: Partial<Verdict>) =>
    releaseOfTests([{ gate: accuracy, changes }, { gate: evasion }]);

  it.each<[string, Partial<Verdict>]>([
    ['failed', { status: 'fail' }],
    ['was inconclusive', { status: 'inconclusive' }],
    ['passed by its word but not by its interval', { interval: [0.7, 0.99] }],
    ['passed against another threshold', { threshold: 0.1 }],
    ['passed with another confidence', { confidence: 0.6 }],
    ['carries the verdict of another gate', { gate: 'evasion' }],
    ['carries the verdict of another kind', { kind: 'evasion' }],
  ])('refuses a gate that %s', async (_, changes) => {
    expect(await failuresOf(await verdicts(changes))).toEqual(['tests: gate-failed']);
  });

  it('refuses a failed verdict under a statement that says PASSED', async () => {
    const test = await testResultOf({ gate: accuracy, changes: { status: 'fail' } }, gates, {
      result: 'PASSED',
    });
    const release = await releaseWith(honest, { chain: { tests: [test, honest.chain.tests[1]!] } });
    expect(await failuresOf(release)).toEqual(['tests: gate-failed']);
  });

  it('refuses fewer samples than the gate calls for', async () => {
    expect(await failuresOf(await verdicts({ n: testRows - 1 }))).toEqual(['tests: gate-weaker']);
    const few = await releaseOfTests([{ gate: accuracy }, { gate: evasion, changes: { n: 99 } }]);
    expect(await failuresOf(few)).toEqual(['tests: gate-weaker']);
  });

  it('refuses results about another model', async () => {
    const test = await testResultOf({ gate: accuracy }, gates, { model: other });
    const release = await releaseWith(honest, { chain: { tests: [test, honest.chain.tests[1]!] } });
    expect(await failuresOf(release)).toEqual(['tests: subject-mismatch']);
  });

  it('refuses results on another snapshot', async () => {
    const test = await testResultOf({ gate: accuracy }, gates, { snapshot: other });
    const release = await releaseWith(honest, { chain: { tests: [test, honest.chain.tests[1]!] } });
    expect(await failuresOf(release)).toEqual(['tests: snapshot-mismatch']);
  });

  it('sees that a gate of the run was left out, though the policy would not miss it', async () => {
    const lax = { ...honest.policy, endpoints: {} };
    const release = await releaseWith(honest, { chain: { tests: [honest.chain.tests[0]!] } });
    expect(await failuresOf(release, { policy: lax })).toEqual(['tests: gate-missing']);
  });

  it('sees that the run had no such gate as the policy asks for', async () => {
    expect(await failuresOf(await releaseOfTests([{ gate: accuracy }]))).toEqual(['tests: gate-missing']);
  });

  it('refuses the same gate twice', async () => {
    const [first, second] = honest.chain.tests as [Digest, Digest];
    const release = await releaseWith(honest, { chain: { tests: [first, second, first] } });
    expect(await failuresOf(release)).toEqual(['tests: gate-repeated']);
  });

  it('refuses results from two runs with different gates', async () => {
    const stray = await testResultOf({ gate: accuracy }, [accuracy]);
    const release = await releaseWith(honest, { chain: { tests: [stray, honest.chain.tests[1]!] } });
    expect(await failuresOf(release)).toEqual(['tests: gates-mismatch']);
  });

  it('refuses a gate that its run did not have', async () => {
    const stray = gatesSchema.parse([{ gate: 'accuracy', minimum: 0.85, name: 'stray' }])[0]!;
    const test = await testResultOf({ gate: stray }, gates);
    const release = await releaseWith(honest, { chain: { tests: [...honest.chain.tests, test] } });
    expect(await failuresOf(release)).toEqual(['tests: gates-mismatch']);
  });

  it.each([
    ['a list that is not one', '{}', 'gates-mismatch'],
    ['a list that is not JSON', '[', 'gates-mismatch'],
  ])('refuses %s', async (_, text, code) => {
    const list = await honest.store.putBlob(Buffer.from(text));
    const tests = await Promise.all(gates.map((gate) => testResultOf({ gate }, gates, { list })));
    const release = await releaseWith(honest, { chain: { tests } });
    expect(await failuresOf(release)).toEqual([`tests: ${code}`, 'verification: gates-mismatch']);
  });

  it.each<[string, object]>([
    ['a lower minimum', { minimum: 0.49 }],
    ['a lower confidence', { confidence: 0.9 }],
    ['a smaller ball', { epsilon: 0.09 }],
    ['fewer samples', { samples: 99 }],
    ['fewer steps', { pgd: { steps: 39 } }],
    ['fewer restarts', { pgd: { restarts: 2 } }],
    ['a step too small to move', { pgd: { stepSize: 1e-9 } }],
    ['fewer steps of Auto-PGD', { apgd: { steps: 49 } }],
    ['an adversary who respects types', { respects: ['types'] }],
    ['an adversary with a patch alone', { patch: { height: 8, width: 8 } }],
    ['most of several answers, not one,', { randomised: {} }],
    ['fewer queries', { square: { queries: 299 } }],
    ['fewer queries for classes alone', { hopSkipJump: { queries: 299 } }],
    ['fewer targets', { targeted: { targets: 2 } }],
    ['fewer steps to the boundary', { fab: { steps: 19 } }],
    ['another attack under the same name', { pgd: { momentum: 1 } }],
    ['less than a standard suite', { suite: 'quick' }],
  ])('refuses a run that asked for %s than the policy', async (_, changes) => {
    const weaker = gatesSchema.parse([{ ...evasion, ...changes }])[0]!;
    expect(await failuresOf(await releaseOfTests([{ gate: accuracy }, { gate: weaker }]))).toEqual([
      'tests: gate-weaker',
    ]);
  });

  it('wants a fine-tuned model attacked through what it came from, where the gate asks for that', async () => {
    const provenance = await provenanceOf({ parent: other });
    const released = async (parent?: Digest) => {
      const tests = await Promise.all(
        gates.map((gate) => testResultOf({ gate }, gates, { ...(parent && { parent }) })),
      );
      return failuresOf(await releaseWith(honest, { chain: { provenance, tests } }));
    };
    expect(await released(other)).toEqual([]);
    expect(await released()).toEqual(['tests: gate-weaker']);
    expect(await released(digestOf('a harmless one'))).toEqual(['tests: gate-weaker']);
  });

  describe('of certificates', () => {
    const certified = (changes: object = {}): GateSpec =>
      gatesSchema.parse([
        {
          gate: 'certified',
          method: 'smoothing',
          norm: 'l2',
          epsilon: 0.2,
          minimum: 0.5,
          samples: 100,
          smoothing: { sigma: 0.5 },
          ...changes,
        },
      ])[0]!;
    const required = () => policyWith({ gates: [certified()] });

    it('refuses those of a smoothed classifier where the model itself is served', async () => {
      const release = await releaseOfTests([{ gate: accuracy }, { gate: certified() }]);
      expect(await failuresOf(release, { policy: required() })).toEqual(['tests: gate-unserved']);
    });

    it.each<[string, object]>([
      ['a shorter radius', { epsilon: 0.1 }],
      ['fewer samples', { samples: 99 }],
      ['more doubt', { smoothing: { sigma: 0.5, alpha: 0.01 } }],
    ])('refuses a run that asked for %s than the policy', async (_, changes) => {
      const release = await releaseOfTests([{ gate: accuracy }, { gate: certified(changes) }]);
      expect(await failuresOf(release, { policy: required() })).toEqual([
        'tests: gate-unserved',
        'tests: gate-weaker',
      ]);
    });
  });

  describe('of certified poisoning', () => {
    const asked = { gate: 'certified-poisoning', radius: 5, minimum: 0.5, samples: 100 };
    const poisoning = (changes: object = {}): GateSpec => gatesSchema.parse([{ ...asked, ...changes }])[0]!;
    const required = () => policyWith({ gates: [poisoning()] });

    it('refuses votes of a model that was not trained in partitions', async () => {
      const release = await releaseOfTests([{ gate: accuracy }, { gate: poisoning() }]);
      expect(await failuresOf(release, { policy: required() })).toEqual(['tests: gate-unserved']);
    });

    it.each<[string, object]>([
      ['a smaller radius', { radius: 4 }],
      ['fewer samples', { samples: 99 }],
    ])('refuses a run that asked for %s than the policy', async (_, changes) => {
      const release = await releaseOfTests([{ gate: accuracy }, { gate: poisoning(changes) }]);
      expect(await failuresOf(release, { policy: required() })).toEqual([
        'tests: gate-unserved',
        'tests: gate-weaker',
      ]);
    });
  });

  describe('of extraction', () => {
    const labelsOnly = { outputs: ['label'] };
    const extraction = (changes: object = {}): GateSpec =>
      gatesSchema.parse([{ gate: 'extraction', maximum: 0.9, reveals: labelsOnly, ...changes }])[0]!;
    const released = async (gate: GateSpec, reveals?: object) => {
      const serving =
        reveals && servingSchema.parse({ scopes: { public: { reveals, budget: { perDay: 1000 } } } });
      return releaseOfTests(
        [{ gate: accuracy }, { gate, changes: { interval: [0.5, 0.6] } }],
        serving && { serving },
      );
    };
    const required = () => policyWith({ gates: [extraction()] });

    it('accepts a thief who was told what clients are told', async () => {
      const release = await released(extraction(), labelsOnly);
      expect(await failuresOf(release, { policy: required() })).toEqual([]);
    });

    it.each([
      ['more than the thief was told', { decimals: 1 }],
      ['everything, for the release says nothing of scopes', undefined],
    ])('refuses a release that tells clients %s', async (_, reveals) => {
      const release = await released(extraction(), reveals);
      expect(await failuresOf(release, { policy: required() })).toEqual(['tests: gate-unserved']);
    });

    it.each<[string, object, readonly string[]]>([
      ['fewer queries', { queries: 1999 }, ['tests: gate-weaker']],
      ['more agreement', { maximum: 0.95 }, ['tests: gate-weaker']],
      ['another scope', { scope: 'partner' }, ['tests: gate-unserved', 'tests: gate-weaker']],
      ['less than a client may ask', { queries: 999 }, ['tests: gate-unserved', 'tests: gate-weaker']],
    ])('refuses a run that asked for %s than the policy', async (_, changes, failures) => {
      const release = await released(extraction(changes), labelsOnly);
      expect(await failuresOf(release, { policy: required() })).toEqual(failures);
    });

    it('refuses a verdict whose interval lies above its maximum', async () => {
      const serving = servingSchema.parse({
        scopes: { public: { reveals: labelsOnly, budget: { perDay: 1000 } } },
      });
      const release = await releaseOfTests(
        [{ gate: accuracy }, { gate: extraction(), changes: { interval: [0.85, 0.91] } }],
        { serving },
      );
      expect(await failuresOf(release, { policy: required() })).toEqual(['tests: gate-failed']);
    });
  });

  it('refuses a run of fewer restarts of Auto-PGD than the policy asks for', async () => {
    const policy = policyWith({ gates: gatesSchema.parse([{ ...evasion, apgd: { restarts: 2 } }]) });
    expect(await failuresOf(honest.release, { policy })).toEqual(['tests: gate-weaker']);
  });

  it('takes a patch as high and as wide as the policy asks for, and none else', async () => {
    const failures = async (run: object | undefined, required: object | undefined) => {
      const [gate, wanted] = [run, required].map((patch) =>
        gatesSchema.parse([{ ...evasion, ...(patch && { patch }) }]),
      );
      const release = await releaseOfTests([{ gate: accuracy }, { gate: gate![0]! }]);
      return failuresOf(release, { policy: policyWith({ gates: wanted! }) });
    };
    const required = { height: 2, width: 3, steps: 20 };
    expect(await failures({ ...required, height: 3 }, required)).toEqual([]);
    expect(await failures({ ...required, height: 3, width: 2 }, required)).toEqual(['tests: gate-weaker']);
    expect(await failures({ ...required, steps: 19 }, required)).toEqual(['tests: gate-weaker']);
    expect(await failures(undefined, required)).toEqual(['tests: gate-weaker']);
  });

  it('takes as many draws and answers of a randomised model as the policy asks for, or one answer of any', async () => {
    const failures = async (run: object, required: object) => {
      const [gate, wanted] = [run, required].map((changes) =>
        gatesSchema.parse([{ ...evasion, ...changes }]),
      );
      const release = await releaseOfTests([{ gate: accuracy }, { gate: gate![0]! }]);
      return failuresOf(release, { policy: policyWith({ gates: wanted! }) });
    };
    const randomised = (draws: number, answers: number) => ({ randomised: { draws, answers } });
    expect(await failures(randomised(8, 21), randomised(8, 21))).toEqual([]);
    expect(await failures(randomised(7, 21), randomised(8, 21))).toEqual(['tests: gate-weaker']);
    expect(await failures(randomised(8, 19), randomised(8, 21))).toEqual(['tests: gate-weaker']);
    expect(await failures({}, randomised(8, 21))).toEqual([]);
  });

  it('accepts a run against an adversary who respects less than the policy believes', async () => {
    const policy = policyWith({
      gates: gatesSchema.parse([{ ...evasion, respects: ['types', 'immutable'] }]),
    });
    expect(await failuresOf(honest.release, { policy })).toEqual([]);
  });

  it('refuses a run without the floor a class that the policy sets', async () => {
    const policy = policyWith({ gates: gatesSchema.parse([{ ...accuracy, minimumPerClass: 0.5 }]) });
    expect(await failuresOf(honest.release, { policy })).toEqual(['tests: gate-weaker']);
  });

  it('accepts a run that asked for more, and never more samples than there are', async () => {
    const stricter = gatesSchema.parse([
      { ...accuracy, minimum: 0.9, confidence: 0.99 },
      {
        ...evasion,
        epsilon: 0.2,
        samples: 5000,
        pgd: { steps: 50, restarts: 5 },
        apgd: { steps: 60, restarts: 2 },
        square: { queries: 400 },
      },
    ]);
    expect(await failuresOf(await releaseOfTests(stricter.map((gate) => ({ gate }))))).toEqual([]);
    const thorough = gatesSchema.parse([accuracy, { ...evasion, suite: 'thorough' }]);
    expect(await failuresOf(await releaseOfTests(thorough.map((gate) => ({ gate }))))).toEqual([]);
    const policy = policyWith({ gates: gatesSchema.parse([{ ...evasion, samples: 1_000_000 }]) });
    const all = gatesSchema.parse([{ ...evasion, samples: testRows }]);
    expect(await failuresOf(await releaseOfTests(all.map((gate) => ({ gate }))), { policy })).toEqual([]);
  });
});

describe('the verification link', () => {
  it.each<[string, object, string]>([
    ['about another model', { subject: other }, 'subject-mismatch'],
    ['of another resource', { resource: other }, 'subject-mismatch'],
    ['that did not pass', { verificationResult: 'FAILED' }, 'summary-failed'],
    ['without its level', { verifiedLevels: [] }, 'summary-failed'],
    ['that lists fewer statements', { drop: 1 }, 'inputs-mismatch'],
    ['that lists none', { drop: 5 }, 'inputs-mismatch'],
    ['that lists one twice', { repeat: true }, 'inputs-mismatch'],
    ['under other gates', { gates: other }, 'gates-mismatch'],
  ])('refuses a summary %s', async (_, changes, code) => {
    const release = await releaseWith(honest, { chain: { verification: await summaryOf(changes) } });
    expect(await failuresOf(release)).toEqual([`verification: ${code}`]);
  });

  it('never signs a level that SLSA keeps to itself', async () => {
    await expect(summaryOf({ verifiedLevels: ['SLSA_BUILD_LEVEL_3'] })).rejects.toMatchObject({
      code: 'statement-invalid',
    });
  });
});

describe('the approval link', () => {
  const policy = () => policyWith({ approval: true });
  const approved = async (changes: object = {}, model = honest.model) => {
    const approval = await attestApproval(
      honest.store,
      honest.signers.approval,
      model,
      {
        decision: 'approved',
        person: 'grace',
        reason: 'fine',
        endpoint,
        verification: honest.chain.verification,
        ...changes,
      },
      now,
    );
    return releaseWith(honest, { chain: { verification: honest.chain.verification, approvals: [approval] } });
  };

  it('asks for a person where the policy does', async () => {
    expect(await failuresOf(honest.release, { policy: policy() })).toEqual(['approval: approval-missing']);
    expect(await failuresOf(await approved(), { policy: policy() })).toEqual([]);
  });

  it('refuses a rejection, even where no approval is asked for', async () => {
    expect(await failuresOf(await approved({ decision: 'rejected' }))).toEqual([
      'approval: approval-rejected',
    ]);
  });

  it('refuses a yes to another endpoint, to another summary, and to another model', async () => {
    expect(await failuresOf(await approved({ endpoint: 'letters' }))).toEqual([
      'approval: approval-mismatch',
    ]);
    expect(await failuresOf(await approved({ verification: other }))).toEqual([
      'approval: approval-mismatch',
    ]);
    expect(await failuresOf(await approved({}, other))).toEqual(['approval: subject-mismatch']);
  });
});

describe('who may say what', () => {
  const links = [
    ['data', 'data'],
    ['model', 'signature'],
    ['provenance', 'provenance'],
    ['test', 'tests'],
    ['verification', 'verification'],
    ['release', 'release'],
  ] as const;

  it.each(links)('refuses a %s key without its role', async (role, link) => {
    const keys = honest.policy.keys.map((key) =>
      key.id === honest.signers[role].keyId ? { ...key, roles: ['approval' as const] } : key,
    );
    expect(await failuresOf(honest.release, { policy: { ...honest.policy, keys } })).toContain(
      `${link}: key-not-allowed`,
    );
  });

  it.each(links)('refuses a %s key that speaks for another endpoint', async (role, link) => {
    const keys = honest.policy.keys.map((key) =>
      key.id === honest.signers[role].keyId ? { ...key, endpoints: ['letters'] } : key,
    );
    expect(await failuresOf(honest.release, { policy: { ...honest.policy, keys } })).toContain(
      `${link}: key-not-allowed`,
    );
  });

  it.each(links)('refuses a %s key that the policy does not know', async (role, link) => {
    const keys = honest.policy.keys.filter(({ id }) => id !== honest.signers[role].keyId);
    expect(await failuresOf(honest.release, { policy: { ...honest.policy, keys } })).toContain(
      `${link}: key-unknown`,
    );
  });

  it('refuses a signature by another key under the name of a trusted one', async () => {
    const stranger = readSigner((await generateSigningKey()).privateKey);
    const impostor: Signer = { ...stranger, keyId: honest.signers.release.keyId };
    const release = await attest(
      honest.store,
      impostor,
      releasePredicate,
      'model',
      honest.model,
      honest.record,
    );
    expect(await failuresOf(release)).toEqual(['release: signature-invalid']);
  });

  it('judges keys and gates for the endpoint that would serve, not for the one the release names', async () => {
    const strict = { ...honest.policy, endpoints: { letters: { approval: true } } };
    expect(await failuresOf(honest.release, { policy: strict, endpoint: 'letters' })).toEqual([
      'release: endpoint-mismatch',
      'approval: approval-missing',
    ]);
  });
});

describe('failures', () => {
  it('are all reported, link by link, and not only the first', async () => {
    const release = await releaseWith(honest, {
      model: other,
      chain: {
        data: other,
        signature: other,
        provenance: other,
        tests: [other],
        verification: other,
        approvals: [other],
      },
    });
    expect(await failuresOf(release, { endpoint: 'letters', afterRevision: 4 })).toEqual([
      'release: endpoint-mismatch',
      'release: revision-downgraded',
      'model: blob-missing',
      'signature: blob-missing',
      'provenance: blob-missing',
      'data: blob-missing',
      'tests: blob-missing',
      'tests: gates-mismatch',
      'verification: blob-missing',
      'approval: blob-missing',
    ]);
  });

  it('of the store itself are no verdict', async () => {
    const down: Store = {
      ...honest.store,
      readTree: () => Promise.reject(new TransientError('the store is away')),
    };
    await expect(verifyRelease(down, honest.policy, honest.release)).rejects.toThrow(TransientError);
  });
});

function policyWith(rules: TrustPolicy['endpoints'][string]): TrustPolicy {
  return { ...honest.policy, endpoints: { [endpoint]: rules } };
}

/** The chain's statements that name a model, made again for another one. */
async function statementsAbout(model: Digest) {
  return {
    provenance: await provenanceOf({ model }),
    tests: await Promise.all(gates.map((gate) => testResultOf({ gate }, gates, { model }))),
  };
}

async function provenanceOf(changes: {
  readonly model?: Digest;
  readonly snapshot?: Digest;
  readonly environment?: undefined;
  readonly seed?: number;
  readonly name?: string;
  readonly parent?: Digest;
}): Promise<Digest> {
  const { store, signers } = honest;
  const { name = 'digits', seed = training.seed } = changes;
  return attest(store, signers.provenance, provenancePredicate, 'model', changes.model ?? honest.model, {
    buildDefinition: {
      buildType: trainingBuildType,
      externalParameters: { name, training: { ...training, seed } },
      resolvedDependencies: [
        descriptorOf('snapshot', changes.snapshot ?? honest.snapshot),
        ...('environment' in changes ? [] : [descriptorOf('environment', other)]),
        ...(changes.parent ? [descriptorOf('parent', changes.parent)] : []),
      ],
    },
    runDetails: {
      builder: { id: builder },
      metadata: { invocationId: 'run-1', startedOn: now.toISOString(), finishedOn: now.toISOString() },
    },
  });
}

async function dataOf(changes: {
  readonly snapshot?: Digest;
  readonly classes?: string[];
  readonly columns?: string[];
}): Promise<Digest> {
  const { columns = ['a', 'b'], classes = ['zero', 'one'] } = changes;
  const [feature] = checks.features;
  return attest(
    honest.store,
    honest.signers.data,
    dataPredicate,
    'snapshot',
    changes.snapshot ?? honest.snapshot,
    {
      source: other,
      rows: { train: 700, validation: 100, test: testRows },
      classes,
      checks: { ...checks, features: [{ ...feature!, columns }] },
      attestedAt: now.toISOString(),
    },
  );
}

interface TestRun {
  readonly gate: GateSpec;
  readonly changes?: Partial<Verdict>;
}

async function testResultOf(
  run: TestRun,
  all: readonly GateSpec[],
  changes: {
    readonly model?: Digest;
    readonly snapshot?: Digest;
    readonly list?: Digest;
    readonly result?: 'PASSED';
    readonly parent?: Digest;
  } = {},
): Promise<Digest> {
  const { store, signers } = honest;
  const verdict = await verdictOf(store, run.gate, run.changes);
  const list = changes.list ?? (await store.putBlob(Buffer.from(canonicalJson(all))));
  const result = ({ pass: 'PASSED', inconclusive: 'WARNED', fail: 'FAILED' } as const)[verdict.status];
  return attest(store, signers.test, testResultPredicate, 'model', changes.model ?? honest.model, {
    result: changes.result ?? result,
    configuration: [
      descriptorOf('gates', list),
      descriptorOf('snapshot', changes.snapshot ?? honest.snapshot),
      descriptorOf('evidence', verdict.evidence),
      ...(changes.parent ? [descriptorOf('parent', changes.parent)] : []),
    ],
    'https://assay.dev/attestation/verdict/v1': { gate: run.gate, verdict },
  });
}

/** A release of the honest model whose run had these gates and no others. */
async function releaseOfTests(
  runs: readonly TestRun[],
  record: Partial<ReleaseRecord> = {},
): Promise<Digest> {
  const all = runs.map(({ gate }) => gate);
  const tests = await Promise.all(runs.map((run) => testResultOf(run, all)));
  return releaseWith(honest, { chain: { tests }, gates: all, record });
}

async function summaryOf(changes: {
  readonly subject?: Digest;
  readonly resource?: Digest;
  readonly verificationResult?: 'FAILED';
  readonly verifiedLevels?: string[];
  readonly drop?: number;
  readonly repeat?: boolean;
  readonly gates?: Digest;
}): Promise<Digest> {
  const { store, signers, model, chain } = honest;
  const resource = (digest: Digest) => ({ uri: `urn:${digest}`, digest: digestSetOf(digest) });
  const inputs = inputsOf(chain).slice(changes.drop ?? 0);
  return attest(store, signers.verification, verificationPredicate, 'model', changes.subject ?? model, {
    verifier: { id: builder },
    timeVerified: now.toISOString(),
    resourceUri: `urn:${changes.resource ?? model}`,
    policy: resource(changes.gates ?? digestOf(canonicalJson(gates))),
    inputAttestations: [...inputs, ...(changes.repeat ? inputs.slice(0, 1) : [])].map(resource),
    verificationResult: changes.verificationResult ?? 'PASSED',
    verifiedLevels: changes.verifiedLevels ?? [gatesPassedLevel],
  });
}
