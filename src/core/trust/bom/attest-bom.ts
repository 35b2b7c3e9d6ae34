import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Digest } from '../../spec/index.js';
import type { Store } from '../../store/index.js';
import { attest } from '../attest.js';
import { statementsAbout } from '../data-decisions.js';
import { readBytes } from '../links/inspection.js';
import type { TrustPolicy } from '../policy.js';
import type { Signer } from '../signers/signer.js';
import { openStatement } from '../statement.js';
import { bomPredicate } from '../statements/bom.js';
import { dataPredicate } from '../statements/data.js';
import { digestNamed } from '../statements/predicate.js';
import { provenancePredicate } from '../statements/provenance.js';
import { type SourceDescription, sourcePredicate } from '../statements/source.js';
import { testResultPredicate } from '../statements/test-result.js';
import type { VerifiedRelease } from '../verification.js';
import { mlBom } from './ml-bom.js';
import { readPackages } from './read-packages.js';

/**
 * Writes the bill of materials of a release whose chain holds, signs it, and files it under the model and the release.
 *
 * @returns digest of its bundle; signing twice gives two, so callers memoise through `store.recordOutcome`
 * @throws RefusedError what `openStatement` throws; TransientError
 */
export async function attestBom(
  store: Store,
  signer: Signer,
  policy: TrustPolicy,
  { digest: release, release: record, card }: VerifiedRelease,
  now: Date,
): Promise<Digest> {
  const { chain, endpoint, model } = record;
  const read = async <T>(type: Parameters<typeof openStatement<T>>[2], envelope: Digest): Promise<T> =>
    openStatement(await readBytes(store, envelope), policy, type, now, endpoint).predicate;
  const data = await read(dataPredicate, chain.data);
  const provenance = await read(provenancePredicate, chain.provenance);
  const results = await Promise.all(chain.tests.map((test) => read(testResultPredicate, test)));
  const sources = new Map<Digest, SourceDescription>();
  for (const origin of [data.source, ...Object.values(data.account?.files ?? {})]) {
    const [said] = await statementsAbout(store, policy, sourcePredicate, origin, { now, endpoint });
    if (said) sources.set(origin, said.predicate);
  }
  const materials = provenance.buildDefinition.resolvedDependencies;
  const bom = mlBom({
    release,
    record,
    card,
    files: await store.readTree(model),
    data,
    provenance,
    tests: results.map((result) => result['https://assay.dev/attestation/verdict/v1']),
    sources,
    packages: await readPackages(
      store,
      digestNamed(materials, 'environment'),
      digestNamed(materials, 'program'),
    ),
    assayVersion: ownVersion(),
  });
  const envelope = await attest(store, signer, bomPredicate, 'model', model, bom);
  await store.attach(release, envelope);
  return envelope;
}

function ownVersion(): string {
  const manifest = path.resolve(__dirname, '../../../../package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
