import { type Digest, digestSchema } from '../../spec/index.js';
import { approvalPredicate } from '../statements/approval.js';
import { bomPredicate } from '../statements/bom.js';
import { dataPredicate } from '../statements/data.js';
import { modelSignaturePredicate } from '../statements/model-signature.js';
import { type Descriptor, digestOfSet, digestSetSchema } from '../statements/predicate.js';
import { provenancePredicate } from '../statements/provenance.js';
import { releasePredicate } from '../statements/release.js';
import { requestPredicate } from '../statements/request.js';
import { revocationPredicate } from '../statements/revocation.js';
import { rowReleasePredicate } from '../statements/row-release.js';
import { sourcePredicate } from '../statements/source.js';
import { testResultPredicate } from '../statements/test-result.js';
import { trustPolicyPredicate } from '../statements/trust-policy.js';
import { verificationPredicate } from '../statements/verification-summary.js';
import { waiverPredicate } from '../statements/waiver.js';

/** Another artifact or statement that a statement speaks of. */
export interface StatementLink {
  /** What it is to the subject: `source`, `snapshot`, `evidence`, … */
  readonly relation: string;
  readonly digest: Digest;
}

/** What a statement says, in the same few words for every type of statement. */
export interface Told {
  /** What kind of statement it is, for people. */
  readonly title: string;
  /** When it was made, as its signer says; undefined where the format has no time. */
  readonly at?: string;
  /** One line. */
  readonly about: string;
  /** What the subject was made of, or the statement rests on. */
  readonly links: readonly StatementLink[];
  /** The endpoint that its signer must be allowed to speak for. */
  readonly endpoint?: string;
}

/** How one type of statement is told, of a predicate that has its schema. */
const tellers: Readonly<Record<string, (predicate: unknown) => Told>> = {
  [sourcePredicate.type](predicate) {
    const { supplier, name, license, origin, attestedAt } = sourcePredicate.schema.parse(predicate);
    const about = [`${name} of ${supplier}`, license, origin].filter(Boolean).join(', ');
    return { title: 'source statement', at: attestedAt, about, links: [] };
  },
  [dataPredicate.type](predicate) {
    const { source, rows, account, attestedAt } = dataPredicate.schema.parse(predicate);
    const { train, validation, test } = rows;
    return {
      title: 'data statement',
      at: attestedAt,
      about: `${train} rows to train, ${validation} to validate, ${test} to test${account ? `; ${account.refused} of ${account.read} set aside` : ''}`,
      links: [
        { relation: 'source', digest: source },
        ...Object.values(account?.files ?? {}).map((digest) => ({ relation: 'looked up', digest })),
        ...(account?.parent ? [{ relation: 'follows', digest: account.parent }] : []),
        ...(account?.quarantine ? [{ relation: 'set aside', digest: account.quarantine }] : []),
        ...(account?.releases ?? []).map((digest) => ({ relation: 'let in by', digest })),
      ],
    };
  },
  [modelSignaturePredicate.type](predicate) {
    const { resources } = modelSignaturePredicate.schema.parse(predicate);
    const about = `${resources.length} files: ${resources.map(({ name }) => name).join(', ')}`;
    const links = resources.map(
      ({ name, digest }): StatementLink => ({ relation: name, digest: `sha256:${digest}` }),
    );
    return { title: 'model signature (OMS)', about, links };
  },
  [provenancePredicate.type](predicate) {
    const { buildDefinition, runDetails } = provenancePredicate.schema.parse(predicate);
    const { name, training } = buildDefinition.externalParameters;
    return {
      title: 'training provenance (SLSA)',
      at: runDetails.metadata.finishedOn,
      about: `${name}, trained by ${training.trainer}, seed ${training.seed}, run ${runDetails.metadata.invocationId}`,
      links: buildDefinition.resolvedDependencies.map(linkOf),
    };
  },
  [testResultPredicate.type](predicate) {
    const { result, configuration, ...extension } = testResultPredicate.schema.parse(predicate);
    const { verdict } = extension['https://assay.dev/attestation/verdict/v1'];
    const { gate, metric, estimate, interval, n, threshold, bound = 'minimum' } = verdict;
    const [low, high] = interval.map((limit) => limit.toFixed(4));
    return {
      title: 'test result',
      about: `${gate}: ${result}, ${metric} ${estimate.toFixed(4)} [${low}, ${high}] of ${n}, ${bound} ${threshold}`,
      links: configuration.map(linkOf),
    };
  },
  [verificationPredicate.type](predicate) {
    const { verificationResult, verifiedLevels, timeVerified, policy, inputAttestations, verifier } =
      verificationPredicate.schema.parse(predicate);
    return {
      title: 'verification summary (SLSA VSA)',
      at: timeVerified,
      about: `${verificationResult} ${verifiedLevels.join(', ')} by ${verifier.id}`,
      links: [
        { relation: 'gates', digest: digestOfSet(policy.digest) },
        ...inputAttestations.map(({ digest }) => ({ relation: 'rests on', digest: digestOfSet(digest) })),
      ],
    };
  },
  [approvalPredicate.type](predicate) {
    const { decision, person, reason, endpoint, verification, decidedAt } =
      approvalPredicate.schema.parse(predicate);
    const links = [{ relation: 'saw', digest: verification }];
    return {
      title: 'approval',
      at: decidedAt,
      about: `${decision} for ${endpoint} by ${person}: ${reason}`,
      links,
      endpoint,
    };
  },
  [requestPredicate.type](predicate) {
    const { action, endpoint, run, verification, reason, issuedAt } =
      requestPredicate.schema.parse(predicate);
    return {
      title: 'request',
      at: issuedAt,
      about: `to ${action}${run ? ` ${run}` : ''} at ${endpoint}: ${reason}`,
      links: verification ? [{ relation: 'saw', digest: verification }] : [],
      endpoint,
    };
  },
  [waiverPredicate.type](predicate) {
    const { endpoint, gate, result, person, reason, expires, waivedAt } =
      waiverPredicate.schema.parse(predicate);
    const about = `${gate} for ${endpoint} until ${expires} by ${person}: ${reason}`;
    return {
      title: 'waiver',
      at: waivedAt,
      about,
      links: [{ relation: 'waives', digest: result }],
      endpoint,
    };
  },
  [releasePredicate.type](predicate) {
    const { endpoint, revision, kind, model, chain, previous, createdAt, requestedBy, reason } =
      releasePredicate.schema.parse(predicate);
    return {
      title: 'release',
      at: createdAt,
      about: `${endpoint} revision ${revision} (${kind}) for ${requestedBy}: ${reason}`,
      links: [
        { relation: 'model', digest: model },
        ...Object.entries(chain).flatMap(([relation, digests]) =>
          [digests ?? []].flat().map((digest) => ({ relation, digest })),
        ),
        ...(previous ? [{ relation: 'follows', digest: previous }] : []),
      ],
      endpoint,
    };
  },
  [bomPredicate.type](predicate) {
    const { metadata, components, externalReferences } = bomPredicate.schema.parse(predicate);
    const { name, version } = metadata.component;
    return {
      title: 'bill of materials (CycloneDX)',
      at: metadata.timestamp,
      about: `${name} as ${version}, ${components.length} components`,
      links: externalReferences.map(({ comment, url }) => ({
        relation: comment,
        digest: digestSchema.parse(url.slice('urn:'.length)),
      })),
      endpoint: version.slice(0, version.lastIndexOf('/')),
    };
  },
  [revocationPredicate.type](predicate) {
    const { person, reason, revokedAt } = revocationPredicate.schema.parse(predicate);
    return { title: 'revocation', at: revokedAt, about: `by ${person}: ${reason}`, links: [] };
  },
  [rowReleasePredicate.type](predicate) {
    const { source, rows, person, reason, decidedAt } = rowReleasePredicate.schema.parse(predicate);
    const about = `${rows.length} rows let in by ${person}: ${reason}`;
    return {
      title: 'release of rows',
      at: decidedAt,
      about,
      links: [{ relation: 'source', digest: source }],
    };
  },
  [trustPolicyPredicate.type](predicate) {
    const { revision, replaces, signedAt } = trustPolicyPredicate.schema.parse(predicate);
    const links = [{ relation: 'replaces', digest: replaces }];
    return { title: 'trust policy', at: signedAt, about: `revision ${revision}`, links };
  },
};

/** @returns undefined where the predicate is none of that type, or the type is unknown */
export function toldBy(type: string, predicate: unknown): Told | undefined {
  if (!Object.hasOwn(tellers, type)) return undefined;
  try {
    return tellers[type]!(predicate);
  } catch {
    return undefined;
  }
}

/** The digest that a subject names, if it names one in the way of this store. */
export function subjectDigest(subject: unknown): Digest | undefined {
  const set = digestSetSchema.safeParse((subject as { digest?: unknown } | undefined)?.digest);
  const digest = digestSchema.safeParse(`sha256:${set.data?.sha256}`);
  return digest.success ? digest.data : undefined;
}

function linkOf({ name, digest }: Descriptor): StatementLink {
  return { relation: name, digest: digestOfSet(digest) };
}
