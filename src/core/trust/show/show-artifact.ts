import { RefusedError } from '../../errors/index.js';
import { type Digest, modelCardSchema } from '../../spec/index.js';
import type { Store, TreeEntry } from '../../store/index.js';
import { parseBundle } from '../bundle.js';
import { identityOf, requireMay } from '../envelope.js';
import { readBytes } from '../links/inspection.js';
import { verifyModelSignature } from '../model-signature.js';
import type { TrustPolicy } from '../policy.js';
import { readStatement } from '../statement.js';
import { dataPredicate } from '../statements/data.js';
import { modelSignaturePredicate } from '../statements/model-signature.js';
import { digestOfSet } from '../statements/predicate.js';
import { provenancePredicate } from '../statements/provenance.js';
import { releasePredicate } from '../statements/release.js';
import { revocationPredicate } from '../statements/revocation.js';
import { parseStrictJson } from '../strict-json.js';
import { type StatementLink, subjectDigest, toldBy } from './told-by.js';

/** One statement about an artifact. What is not verified is shown as its own claim, and believed in nothing. */
export interface ShownStatement {
  readonly envelope: Digest;
  /** Predicate type; `unreadable` where the envelope cannot be opened at all. */
  readonly type: string;
  readonly title: string;
  readonly about: string;
  readonly at?: string;
  readonly subject?: Digest;
  /** Key id or identity; of an unverified statement, whom it claims to be by. */
  readonly signer?: string;
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** What the statement rests on, or its subject was made of. */
  readonly links: readonly StatementLink[];
}

export interface ShownArtifact {
  readonly digest: Digest;
  readonly kind: 'model' | 'snapshot' | 'folder' | 'release' | 'statement' | 'file';
  /** Of a release, its own statement first, and then those of its chain. */
  readonly statements: readonly ShownStatement[];
  /** What verified statements say that it was made of. */
  readonly madeOf: readonly StatementLink[];
  /** What verified statements say that was made of it. */
  readonly usedBy: readonly StatementLink[];
  /** Who revoked it, and why; the trust policy itself may. */
  readonly revoked: readonly string[];
}

/** What is looked at, and by whom it is believed. */
interface Look {
  readonly store: Store;
  readonly policy: TrustPolicy;
  readonly now: Date;
}

/**
 * Lists every statement filed under an artifact (a model, a snapshot, a source, a release), whether it verifies or not, and why.
 *
 * This judges statements one by one; whether those of a release make a chain is for `verifyRelease` to say.
 *
 * @throws RefusedError `not-found` when the store holds neither the artifact nor a statement about it; TransientError
 */
export async function showArtifact(
  store: Store,
  policy: TrustPolicy,
  digest: Digest,
  now: Date,
): Promise<ShownArtifact> {
  const look: Look = { store, policy, now };
  const { kind, files } = await kindOf(store, digest);
  const filed = await store.referrers(digest);
  if (kind === 'absent' && filed.length === 0) {
    throw new RefusedError('not-found', `The store holds neither ${digest} nor a statement about it.`);
  }
  const statements: ShownStatement[] = [];
  if (kind === 'release' || kind === 'statement') {
    const own = await showStatement(look, digest);
    statements.push(own);
    const chain = own.verified && own.type === releasePredicate.type ? own.links : [];
    for (const link of chain) {
      if (link.relation === 'model' || link.relation === 'follows') continue;
      statements.push(await showStatement(look, link.digest));
    }
  }
  for (const envelope of filed) statements.push(await showStatement(look, envelope, { digest, files }));
  // What was fine-tuned from a model names its file, not its folder.
  const onnx = files?.find(({ path }) => path === 'model.onnx')?.digest;
  for (const envelope of onnx ? await store.referrers(onnx) : []) {
    if (!filed.includes(envelope)) statements.push(await showStatement(look, envelope, { digest: onnx! }));
  }

  const verified = statements.filter((statement) => statement.verified);
  const itself = verified.filter(({ envelope }) => envelope === digest);
  const makings = verified.filter(
    ({ type }) => type === dataPredicate.type || type === provenancePredicate.type,
  );
  const names = (links: readonly StatementLink[]) =>
    links.some((link) => link.digest === digest || link.digest === onnx);
  return {
    digest,
    kind: kind === 'absent' ? 'file' : kind,
    statements,
    madeOf: distinct(
      [...itself, ...makings.filter(({ subject }) => subject === digest)].flatMap(({ links }) => links),
    ),
    usedBy: distinct([
      ...makings
        .filter(({ links, envelope }) => envelope !== digest && names(links))
        .map(({ about: relation, subject }) => ({ relation, digest: subject! })),
      ...verified
        .filter(({ type, subject }) => type === releasePredicate.type && subject === digest)
        .map(({ about: relation, envelope }) => ({ relation, digest: envelope })),
    ]),
    revoked: [
      ...(policy.revoked.includes(digest) ? ['the trust policy'] : []),
      ...verified
        .filter(({ type, subject }) => type === revocationPredicate.type && subject === digest)
        .map(({ about }) => about.replace(/^by /, '')),
    ],
  };
}

/** @param under - the artifact that the statement is filed under, which it has to speak of */
async function showStatement(
  { store, policy, now }: Look,
  envelope: Digest,
  under?: { readonly digest: Digest; readonly files?: readonly TreeEntry[] | undefined },
): Promise<ShownStatement> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readBytes(store, envelope);
    const { type, subject, predicate, signer } = readStatement(bytes, policy, now);
    const told = toldBy(type.type, predicate);
    if (!told)
      throw new RefusedError('statement-type', `expected a known type of statement, got ${type.type}`);
    requireMay(signer, type.role, told.endpoint);
    requireValid(policy, now, envelope);
    const about = digestOfSet(subject.digest);
    if (under && type.type === modelSignaturePredicate.type) {
      verifyModelSignature(bytes, policy, await modelFolder(store, under.files), now);
    } else if (under && about !== under.digest && !told.links.some(({ digest }) => digest === under.digest)) {
      throw new RefusedError(
        'inputs-mismatch',
        `expected a statement that speaks of ${under.digest}, got one about ${about}`,
      );
    }
    const { endpoint: _, ...shown } = told;
    return {
      envelope,
      type: type.type,
      ...shown,
      subject: about,
      signer: identityOf(signer),
      verified: true,
    };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const failure = { code: error.code, message: error.message };
    return { ...claimsOf(envelope, bytes), verified: false, failure };
  }
}

/** @throws RefusedError for what is signed well, and yet not to be believed any more */
function requireValid({ revoked, expires }: TrustPolicy, now: Date, envelope: Digest): void {
  if (revoked.includes(envelope)) {
    throw new RefusedError('data-revoked', `expected nothing that the trust policy revokes, got ${envelope}`);
  }
  if (expires !== undefined && now > new Date(expires)) {
    throw new RefusedError(
      'trust-policy-invalid',
      `expected a trust policy that is valid, got one that expired at ${expires}`,
    );
  }
}

/** What an envelope that does not verify says of itself, as far as it can be read. */
function claimsOf(envelope: Digest, bytes: Uint8Array | undefined): Omit<ShownStatement, 'verified'> {
  const unreadable = { envelope, type: 'unreadable', title: 'unreadable statement', about: '', links: [] };
  if (!bytes) return unreadable;
  try {
    const { verificationMaterial: material, dsseEnvelope } = parseBundle(bytes);
    const statement = parseStrictJson(Buffer.from(dsseEnvelope.payload, 'base64')) as {
      readonly predicateType?: unknown;
      readonly subject?: readonly unknown[];
      readonly predicate?: unknown;
    };
    const type = String(statement.predicateType);
    const { endpoint: _, ...told } = toldBy(type, statement.predicate) ?? {
      title: type,
      about: '',
      links: [],
    };
    const subject = subjectDigest(statement.subject?.[0]);
    return {
      envelope,
      type,
      ...told,
      ...(subject && { subject }),
      signer: 'publicKey' in material ? material.publicKey.hint : 'a certificate',
    };
  } catch {
    return unreadable;
  }
}

async function kindOf(
  store: Store,
  digest: Digest,
): Promise<{ kind: ShownArtifact['kind'] | 'absent'; files?: readonly TreeEntry[] }> {
  if (!(await store.hasBlob(digest))) return { kind: 'absent' };
  try {
    const files = await store.readTree(digest);
    const has = (name: string) => files.some(({ path }) => path === name);
    return { kind: has('model.onnx') ? 'model' : has('snapshot.json') ? 'snapshot' : 'folder', files };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
  try {
    const { type } = claimsOf(digest, await readBytes(store, digest));
    if (type === 'unreadable') return { kind: 'file' };
    return { kind: type === releasePredicate.type ? 'release' : 'statement' };
  } catch (error) {
    if (error instanceof RefusedError) return { kind: 'file' };
    throw error;
  }
}

/** @throws RefusedError `model-mismatch` for what is no model folder, so that its signature signs something else */
async function modelFolder(store: Store, files: readonly TreeEntry[] | undefined) {
  const card = files?.find(({ path }) => path === 'model-card.json');
  if (!files || !card) throw new RefusedError('model-mismatch', 'expected a model folder with its card');
  try {
    const { name } = modelCardSchema.parse(parseStrictJson(await readBytes(store, card.digest)));
    return { name, files };
  } catch (error) {
    throw new RefusedError('model-mismatch', `expected a model card: ${(error as Error).message}`);
  }
}

function distinct(links: readonly StatementLink[]): readonly StatementLink[] {
  return [...new Map(links.map((link) => [`${link.relation} ${link.digest}`, link])).values()];
}
