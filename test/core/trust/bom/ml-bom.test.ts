import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import type { Digest } from '../../../../src/core/spec/index.js';
import { canonicalJson, digestOf, digestOfJson } from '../../../../src/core/store/index.js';
import {
  attestBom,
  attestModel,
  attestSource,
  readBom,
  showArtifact,
  type VerifiedRelease,
} from '../../../../src/core/trust/index.js';
import {
  buildChain,
  builder,
  type ChainFixture,
  cardFor,
  now,
  putFiles,
  removeChain,
  training,
} from '../chain-fixture.js';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

describe('the bill of materials of a release', () => {
  let fixture: ChainFixture;
  let verified: VerifiedRelease;
  beforeAll(async () => {
    fixture = await buildChain();
    const { store, signers, release, record, snapshot } = fixture;
    verified = { digest: release, release: record, card: cardFor(snapshot), onnx: new Uint8Array() };
    const said = { supplier: 'Acme', name: 'digits, 2026', license: 'CC-BY-4.0', origin: 'scanned forms' };
    await attestSource(store, signers.source, digestOf('digits.csv'), said, now);
  });
  afterAll(() => removeChain(fixture));
  const make = (release: VerifiedRelease = verified): Promise<Digest> =>
    attestBom(fixture.store, fixture.signers.release, fixture.policy, release, now);

  it('is what the official schema of CycloneDX 1.6 takes, strictly, and the same bytes every time', async () => {
    const { store, policy, release } = fixture;
    const envelope = await make();
    const bom = await readBom(store, policy, release, now);
    expect(await validator.validate(JSON.stringify(bom))).toBeNull();
    expect(await make()).not.toBe(envelope);
    expect(canonicalJson(await readBom(store, policy, release, now))).toBe(canonicalJson(bom));
    // What the validator is worth: one field more, and it refuses.
    expect(await validator.validate(JSON.stringify({ ...bom, extra: 1 }))).not.toBeNull();
  });

  it('names the data with their digests and whoever stands for them', async () => {
    await make();
    const { snapshot, store, policy, model } = fixture;
    const { components } = await readBom(store, policy, model, now);
    expect(components).toContainEqual(
      expect.objectContaining({
        type: 'data',
        'bom-ref': snapshot,
        hashes: [{ alg: 'SHA-256', content: snapshot.slice(7) }],
      }),
    );
    expect(components).toContainEqual(
      expect.objectContaining({
        'bom-ref': digestOf('digits.csv'),
        name: 'digits, 2026',
        supplier: { name: 'Acme' },
        licenses: [{ expression: 'CC-BY-4.0' }],
      }),
    );
  });

  it('carries a model card with each gate, its interval, and what was not measured', async () => {
    await make();
    const { metadata } = await readBom(fixture.store, fixture.policy, fixture.model, now);
    const { modelCard, name, version } = metadata.component as unknown as { [key: string]: never };
    expect([name, version]).toEqual(['digits', 'digits/1']);
    expect(modelCard).toMatchObject({
      modelParameters: {
        approach: { type: 'supervised' },
        task: 'tabular classification',
        architectureFamily: 'linear',
        datasets: [{ ref: fixture.snapshot }],
        inputs: [{ format: 'float32 [N, 2]' }],
        outputs: [{ format: 'float32 [N, 2] logits' }],
      },
      quantitativeAnalysis: {
        performanceMetrics: [
          { type: 'accuracy', value: '0.97', confidenceInterval: { lowerBound: '0.93', upperBound: '0.99' } },
          { slice: expect.stringContaining('linf, epsilon 0.1') },
        ],
      },
      considerations: {
        ethicalConsiderations: expect.arrayContaining([
          { name: 'model theft', mitigationStrategy: 'Not measured by a gate of this release.' },
        ]),
      },
    });
  });

  it('lists what a trainer pins, and the runtimes that its environment records', async () => {
    const { store, signers, snapshot, model, policy, record } = fixture;
    const requirements = [
      '# pinned',
      'Torch[cpu]==2.9.1 --hash=sha256:00',
      'numpy == 2.3.1 ; python_version > "3"',
      'six>=1',
    ];
    const program = await putFiles(fixture, { 'requirements.txt': requirements.join('\n'), 'train.py': '' });
    const environment = { node: '20.20.2', runtime: 'onnxruntime-node', runtimeVersion: '1.30.0' };
    const files = await store.readTree(model);
    const { provenance } = await attestModel(
      store,
      signers.provenance,
      {
        model,
        onnx: files.find(({ path }) => path === 'model.onnx')!.digest,
        snapshot,
        environment: await store.putBlob(Buffer.from(canonicalJson(environment))),
        metrics: {},
        trainer: 'program',
        seed: training.seed,
        parameters: digestOfJson(training.parameters),
        startedAt: now.toISOString(),
        finishedAt: now.toISOString(),
      },
      { training, builder, invocation: 'run-2', program },
    );
    const release = { ...record, revision: 2, chain: { ...record.chain, provenance } };
    await make({ ...verified, digest: digestOf('another'), release });
    const bom = await readBom(store, policy, digestOf('another'), now);
    expect(await validator.validate(JSON.stringify(bom))).toBeNull();
    expect(bom.components.flatMap(({ purl }) => purl ?? [])).toEqual([
      'pkg:generic/node@20.20.2',
      'pkg:npm/onnxruntime-node@1.30.0',
      'pkg:pypi/numpy@2.3.1',
      'pkg:pypi/torch@2.9.1',
    ]);
    expect(bom.components).toContainEqual(expect.objectContaining({ 'bom-ref': program, name: 'trainer' }));
  });

  it('is shown beside the other statements, and is nobody else’s to make', async () => {
    const { store, policy, signers, release, snapshot } = fixture;
    const envelope = await make();
    const of = async (digest: Digest) =>
      (await showArtifact(store, policy, digest, now)).statements.find(
        (shown) => shown.envelope === envelope,
      );
    expect(await of(release)).toMatchObject({ verified: true, title: 'bill of materials (CycloneDX)' });
    const forged = await attestBom(store, signers.test, policy, verified, now);
    const shown = await showArtifact(store, policy, release, now);
    expect(shown.statements.find((one) => one.envelope === forged)).toMatchObject({
      verified: false,
      failure: { code: 'key-not-allowed' },
    });
    await expect(readBom(store, policy, snapshot, now)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is written of believed statements alone', async () => {
    const { store, signers, policy } = fixture;
    const keys = policy.keys.filter(({ id }) => id !== signers.data.keyId);
    await expect(attestBom(store, signers.release, { ...policy, keys }, verified, now)).rejects.toMatchObject(
      { code: 'key-unknown' },
    );
  });
});
