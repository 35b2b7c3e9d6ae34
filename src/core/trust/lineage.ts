import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';
import { readBytes } from './links/inspection.js';
import type { TrustPolicy } from './policy.js';
import { readStatement } from './statement.js';
import { dataPredicate } from './statements/data.js';
import { digestNamed, digestOfSet } from './statements/predicate.js';
import { provenancePredicate } from './statements/provenance.js';
import { releasePredicate } from './statements/release.js';
import { revocationPredicate } from './statements/revocation.js';
import { sourcePredicate } from './statements/source.js';

/** An artifact or a release that has to do with data. */
export interface LineageNode {
  /** Of the artifact; of a release, its envelope. */
  readonly digest: Digest;
  readonly kind: 'source' | 'snapshot' | 'model' | 'release';
  /** What is said of it, for people. */
  readonly about: readonly string[];
  readonly revoked: readonly string[];
}

/** `to` was made of `from`. */
export interface LineageEdge {
  readonly from: Digest;
  readonly to: Digest;
  /** `follows`: drift was measured against it; it lent no rows. */
  readonly kind: 'ingested' | 'looked up' | 'follows' | 'trained' | 'fine-tuned' | 'released';
}

export interface Lineage {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
}

/** More than any chain has; a store may hold anything. */
const MOST_ARTIFACTS = 10_000;

/**
 * Walks from an artifact down to the raw sources that it was made of, and up to the releases that used it, by signed statements alone.
 *
 * @throws RefusedError `not-found` when nobody whom the policy believes says anything of it; TransientError
 */
export async function traceLineage(
  store: Store,
  policy: TrustPolicy,
  start: Digest,
  now: Date,
): Promise<Lineage> {
  const nodes = new Map<Digest, { kind: LineageNode['kind']; about: string[]; revoked: string[] }>();
  const edges = new Map<string, LineageEdge>();
  const node = (digest: Digest, kind: LineageNode['kind']) => {
    const known = nodes.get(digest) ?? { kind, about: [], revoked: [] };
    nodes.set(digest, known);
    return known;
  };
  const edge = (from: Digest, to: Digest, kind: LineageEdge['kind']) =>
    edges.set(`${from} ${to} ${kind}`, { from, to, kind });

  const seen = new Set<Digest>();
  /** Downwards everything counts, upwards only what was made of it: another source of the same snapshot has other heirs. */
  const walk = async (digest: Digest, direction: 'both' | 'down' | 'up'): Promise<void> => {
    if (seen.has(digest) || seen.size > MOST_ARTIFACTS) return;
    seen.add(digest);
    for (const statement of await believed(store, policy, digest, now)) {
      const subject = digestOfSet(statement.subject.digest);
      const { predicate, type, envelope } = statement;
      if (type === dataPredicate.type) {
        const data = dataPredicate.schema.parse(predicate);
        if (direction === 'down' && subject !== digest) continue;
        const { rows, source, account } = data;
        const total = rows.train + rows.validation + rows.test;
        const aside = account ? `, ${account.refused} set aside, ${account.releases.length} decisions` : '';
        const told = node(subject, 'snapshot').about;
        const line = `${total} rows of ${account?.read ?? total}${aside}`;
        if (!told.includes(line)) told.push(line);
        const set = account?.quarantine && `set aside: ${account.quarantine}`;
        if (set && !told.includes(set)) told.push(set);
        node(source, 'source');
        edge(source, subject, 'ingested');
        for (const file of Object.values(account?.files ?? {})) {
          node(file, 'source');
          edge(file, subject, 'looked up');
        }
        if (account?.parent) {
          node(account.parent, 'snapshot');
          edge(account.parent, subject, 'follows');
        }
        if (subject === digest && direction !== 'up')
          for (const origin of [
            source,
            ...Object.values(account?.files ?? {}),
            ...(account?.parent ? [account.parent] : []),
          ])
            await walk(origin, 'down');
        if (subject !== digest) await walk(subject, 'up');
      } else if (type === provenancePredicate.type) {
        if (direction === 'down' && subject !== digest) continue;
        const { resolvedDependencies, externalParameters } =
          provenancePredicate.schema.parse(predicate).buildDefinition;
        const told = node(subject, 'model').about;
        if (!told.includes(externalParameters.name)) told.push(externalParameters.name);
        const snapshot = digestNamed(resolvedDependencies, 'snapshot');
        if (snapshot) {
          node(snapshot, 'snapshot');
          edge(snapshot, subject, 'trained');
          if (subject === digest && direction !== 'up') await walk(snapshot, 'down');
        }
        if (direction !== 'down') await walkHeirs(subject);
        if (subject !== digest) await walk(subject, 'up');
      } else if (type === releasePredicate.type && direction !== 'down') {
        const { endpoint, revision, kind } = releasePredicate.schema.parse(predicate);
        node(envelope, 'release').about.push(`${endpoint} revision ${revision} (${kind})`);
        node(subject, 'model');
        edge(subject, envelope, 'released');
      } else if (type === revocationPredicate.type && subject === digest) {
        const { person, reason } = revocationPredicate.schema.parse(predicate);
        node(digest, 'source').revoked.push(`${person}: ${reason}`);
      } else if (type === sourcePredicate.type && subject === digest) {
        const { supplier, name, license } = sourcePredicate.schema.parse(predicate);
        node(digest, 'source').about.push(`${name} of ${supplier}${license ? `, ${license}` : ''}`);
      }
    }
  };
  /** Models that were fine-tuned from this one name its file, not its folder. */
  const walkHeirs = async (model: Digest): Promise<void> => {
    const file = await onnxOf(store, model);
    if (!file || seen.has(file)) return;
    seen.add(file);
    for (const { type, subject, predicate } of await believed(store, policy, file, now)) {
      if (type !== provenancePredicate.type) continue;
      const { resolvedDependencies } = provenancePredicate.schema.parse(predicate).buildDefinition;
      if (digestNamed(resolvedDependencies, 'parent') !== file) continue;
      const heir = digestOfSet(subject.digest);
      node(heir, 'model');
      edge(model, heir, 'fine-tuned');
      await walk(heir, 'up');
    }
  };
  await walk(start, 'both');
  if (nodes.size === 0)
    throw new RefusedError(
      'not-found',
      `The store holds no statement about ${start} that the trust policy believes.`,
    );
  return {
    nodes: [...nodes].map(([digest, { kind, about, revoked }]) => ({ digest, kind, about, revoked })),
    edges: [...edges.values()],
  };
}

async function believed(store: Store, policy: TrustPolicy, digest: Digest, now: Date) {
  const found = [];
  for (const envelope of await store.referrers(digest)) {
    try {
      const { type, subject, predicate } = readStatement(await readBytes(store, envelope), policy, now);
      found.push({ envelope, type: type.type, subject, predicate });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return found;
}

/** The blob of a model's ONNX file; undefined where the store does not hold the model. */
export async function onnxOf(store: Store, model: Digest): Promise<Digest | undefined> {
  try {
    return (await store.readTree(model)).find(({ path }) => path === 'model.onnx')?.digest;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
