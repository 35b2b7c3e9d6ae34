import { fineTunedFrom } from '../core/evaluation/index.js';
import { endpointRef, readEndpointPointer } from '../core/serving/index.js';
import {
  attacksThroughParent,
  type Digest,
  type GateSpec,
  type ModelCard,
  modelCardSchema,
  type TrainingSpec,
} from '../core/spec/index.js';
import { canonicalJson, digestOf, type Store } from '../core/store/index.js';
import { type TrustPolicy, type VerifiedRelease, verifyRelease } from '../core/trust/index.js';

export interface ParentQuery {
  /** Tree of the model whose parent is asked for. */
  readonly model: Digest;
  readonly training: TrainingSpec;
  readonly program?: Digest;
  readonly gates: readonly GateSpec[];
  /** Where the model is to be served. */
  readonly endpoint: string;
}

/** Published revisions that are looked at, at most. */
const remembered = 100;

/**
 * The model that an attacker of this one is likely to own: the file that it was fine-tuned from, or else the model that it
 * would replace, where that takes the same inputs and knows the same classes.
 *
 * @returns the blob of its ONNX file; null where there is none, and where no gate attacks through it
 */
export async function findParent(
  store: Store,
  trust: TrustPolicy,
  { model, training, program, gates, endpoint }: ParentQuery,
): Promise<Digest | null> {
  if (!gates.some(attacksThroughParent)) return null;
  const origin = await fineTunedFrom(store, training, program);
  if (origin) return origin;
  const live = await newestOther(store, trust, endpoint, model);
  if (!live) return null;
  const card = await readCard(store, model);
  return card && interfaceOf(card) === interfaceOf(live.card) ? digestOf(live.onnx) : null;
}

/** What the endpoint serves; were it this very model already, what it served before. */
async function newestOther(
  store: Store,
  trust: TrustPolicy,
  endpoint: string,
  model: Digest,
): Promise<VerifiedRelease | undefined> {
  const seen = new Set<Digest>();
  for await (const { value } of store.refHistory(endpointRef(endpoint))) {
    const { release } = readEndpointPointer(endpoint, value);
    if (seen.has(release)) continue;
    seen.add(release);
    const verification = await verifyRelease(store, trust, release, { endpoint });
    if (verification.ok && verification.verified.release.model !== model) return verification.verified;
    if (seen.size === remembered) return undefined;
  }
  return undefined;
}

function interfaceOf({ input, output }: ModelCard): string {
  return canonicalJson([input.shape, input.columns, input.text ?? null, output.classes]);
}

async function readCard(store: Store, model: Digest): Promise<ModelCard | undefined> {
  const entry = (await store.readTree(model)).find(({ path }) => path === 'model-card.json');
  if (!entry) return undefined;
  const parsed = modelCardSchema.safeParse(
    JSON.parse(new TextDecoder().decode(await store.readBlob(entry.digest))),
  );
  return parsed.success ? parsed.data : undefined;
}
