import { RefusedError } from '../core/errors/index.js';
import type { Digest, Lifecycle } from '../core/spec/index.js';
import { canonicalJson, digestOf, digestOfJson, type Store } from '../core/store/index.js';
import {
  authorizeRelease,
  followPolicy,
  mayAskUnsigned,
  openRequest,
  type RequestAction,
  requireValidPolicy,
  type TrustPolicy,
} from '../core/trust/index.js';
import type { ControlContext } from './context.js';
import type { Proposal } from './control.js';
import { runOnce, type StageResult } from './stage.js';

/** What a run starts from: what a request for it is about. */
export interface RunOrder {
  readonly lifecycle: Lifecycle;
  readonly source: Digest;
  readonly files?: Readonly<Record<string, Digest>>;
  readonly program?: Digest;
}

/** What people say who cannot sign. */
export interface UnsignedRequest {
  readonly action: RequestAction;
  /** A claim. */
  readonly by: string;
  readonly reason: string;
  readonly toRevision?: number;
}

/** Something that a workflow is asked, and what it may be asked now. */
export interface RequestCheck {
  readonly asked: { readonly signed: string } | UnsignedRequest;
  readonly actions: readonly RequestAction[];
  readonly endpoint: string;
  readonly run?: string;
  readonly subject?: Digest;
  readonly verification?: Digest;
  /** What a run starts from, in place of `subject`. */
  readonly order?: RunOrder;
  /** For approvals: who asked for the run, and who has approved already. */
  readonly approval?: { readonly runner: string; readonly approvedBy: readonly string[] };
  /** The workflow's clock. */
  readonly at: string;
  /** Who asks on behalf of this request: it counts for nobody else afterwards. */
  readonly claim: string;
}

/** A request that is granted. */
export interface GrantedRequest {
  readonly action: RequestAction;
  /** By proof; `unauthenticated (…)` where nobody signed. */
  readonly person: string;
  readonly reason: string;
  readonly toRevision?: number;
  /** The signed request, in the store; absent where nobody signed. */
  readonly envelope?: Digest;
}

/** Who has to approve of a release. */
export interface ApprovalRule {
  readonly needed: number;
}

export interface ProposalCheck {
  readonly endpoint: string;
  readonly proposal: Proposal;
}

/** The activities that decide whether a request is granted: workflows change nothing before. */
export function createRequestActivities({ store, trust }: ControlContext) {
  /** People come and go while workers run. */
  const inForce = () => followPolicy(store, trust, new Date());

  return {
    /** Whether somebody may have what they ask. A signed request is granted once, and filed under what it is about. */
    async checkRequest(check: RequestCheck): Promise<StageResult<GrantedRequest>> {
      return runOnce(async () => {
        const policy = await inForce();
        const { asked } = check;
        return 'signed' in asked
          ? grantSigned(store, policy, check, asked.signed)
          : grantUnsigned(policy, check, asked);
      });
    },

    /** How many people have to approve of a model for an endpoint, beside what its lifecycle asks for. */
    async approvalsNeeded(endpoint: string): Promise<StageResult<ApprovalRule>> {
      return runOnce(async () => {
        const { approval = false } = (await inForce()).endpoints[endpoint] ?? {};
        return { needed: typeof approval === 'object' ? approval.threshold : Number(approval) };
      });
    },

    /** Whether a proposal comes of what people asked for who may. A request leads to one release. */
    async authorizeProposal({
      endpoint,
      proposal,
    }: ProposalCheck): Promise<StageResult<{ readonly requestedBy: string }>> {
      return runOnce(async () => {
        const { failures, nonces, requestedBy } = await authorizeRelease(
          store,
          await inForce(),
          { endpoint, ...proposal },
          new Date(),
        );
        const [first] = failures;
        if (first) {
          const details = failures.map(({ link, code, message }) => `${link}: ${code}: ${message}`);
          throw new RefusedError(
            'release-unverified',
            `The proposal is not authorised: ${first.message}`,
            details,
          );
        }
        const { model, chain, serving } = proposal;
        const claim = digestOfJson({ endpoint, model, chain, ...(serving && { serving }) });
        for (const nonce of nonces) await claimOnce(store, `${nonce}/release`, claim);
        return { requestedBy };
      });
    },
  };
}

async function grantSigned(
  store: Store,
  policy: TrustPolicy,
  { order, approval, ...expected }: RequestCheck,
  signed: string,
): Promise<GrantedRequest> {
  const bundle = Buffer.from(signed);
  const subject = order ? digestOf(canonicalJson(order)) : expected.subject;
  const { person, request } = openRequest(bundle, policy, { ...expected, subject }, new Date(expected.at));
  const { action, reason, toRevision, nonce } = request;
  if (approval && action === 'approve') {
    requireSeparate(policy, person.name, approval.runner);
    requireAnother(person.name, approval.approvedBy);
  }
  await claimOnce(store, nonce, expected.claim);
  // A verifier reads there what was asked for.
  if (order) await store.putBlob(Buffer.from(canonicalJson(order)));
  const envelope = await store.putBlob(bundle);
  if (subject) await store.attach(subject, envelope);
  return { action, person: person.name, reason, envelope, ...(toRevision !== undefined && { toRevision }) };
}

function grantUnsigned(
  policy: TrustPolicy,
  { actions, endpoint, approval, at }: RequestCheck,
  { action, by, reason, toRevision }: UnsignedRequest,
): GrantedRequest {
  requireValidPolicy(policy, new Date(at));
  if (!actions.includes(action) || !mayAskUnsigned(policy, action)) {
    throw new RefusedError(
      'request-unsigned',
      `expected a signed request to ${action} at ${endpoint}, got an unsigned one in the name of ${by}`,
    );
  }
  const person = `unauthenticated (${by})`;
  // One voice, whatever names it goes by.
  if (action === 'approve' && approval?.approvedBy.some((other) => other.startsWith('unauthenticated')))
    requireAnother(person, [person]);
  return { action, person, reason, ...(toRevision !== undefined && { toRevision }) };
}

function requireSeparate({ separationOfDuties }: TrustPolicy, person: string, runner: string): void {
  if (separationOfDuties === 'none' || person !== runner) return;
  throw new RefusedError(
    'duties-not-separate',
    `expected an approval by somebody else than who asked for the run, got one by ${person}`,
  );
}

function requireAnother(person: string, approvedBy: readonly string[]): void {
  if (!approvedBy.includes(person)) return;
  throw new RefusedError(
    'approval-repeated',
    `expected an approval by somebody else, got another by ${person}`,
  );
}

/** The store remembers what was asked, across workflows and servers. */
async function claimOnce(store: Store, mark: string, claim: string): Promise<void> {
  const ref = `requests/${mark}`;
  if (await store.moveRef(ref, undefined, { claim })) return;
  const taken = await store.readRef(ref);
  // An earlier attempt of this very activity may have claimed it.
  if (taken && canonicalJson(taken.value) === canonicalJson({ claim })) return;
  throw new RefusedError('request-replayed', 'expected a request that was not granted before, got one again');
}
