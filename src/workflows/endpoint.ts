import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RevisionOrder } from '../activities/index.js';
import { errorTable } from '../core/errors/index.js';
import type { Digest } from '../core/spec/index.js';
import {
  type EndpointState,
  endpointStateQuery,
  type FreezeRequest,
  freezeUpdate,
  type Proposal,
  proposeUpdate,
  type Revision,
  type RollbackRequest,
  rollbackUpdate,
  type SignedRequest,
  searchAttributes,
  unfreezeUpdate,
} from './contract.js';
import { endpointDetails } from './details.js';
import { grant, orRefuse, refusal } from './requests.js';
import {
  continuesLive,
  freezeProblem,
  proposalProblem,
  publishedBefore,
  rollbackProblem,
  rollbackTarget,
} from './revisions.js';
import { admission, signing } from './stages.js';

const keptRevisions = 100;

/** The life of one endpoint: it alone numbers revisions, one at a time, and publishes none that does not verify. */
export async function endpoint(initial: EndpointState): Promise<never> {
  let state = initial;
  const inTurn = createTurns();
  // Handlers are set before the first await, and what they do waits in line behind the recovery.
  setHandler(endpointStateQuery, () => state);
  setHandler(
    proposeUpdate,
    ({ model, chain, serving, reason, requestedBy: claimed, requests }) =>
      inTurn(async () => {
        await recover();
        const asked = { model, chain, ...(serving && { serving }), reason, requestedBy: claimed };
        const proposal = await authorized({ ...asked, ...(requests && { requests }) });
        if (continuesLive(state.live, proposal)) return state.live!;
        const before = publishedBefore(state, proposal);
        if (before) return before;
        requireThawed();
        return publish({ kind: 'release', ...proposal });
      }),
    { validator: (proposal) => rejectFor(proposalProblem(proposal)) },
  );
  setHandler(
    rollbackUpdate,
    (request) =>
      inTurn(async () => {
        await recover();
        const { toRevision, reason, requestedBy, envelope } = await grantRollback(request);
        const target = rollbackTarget(state, toRevision);
        if (typeof target === 'string') throw ApplicationFailure.nonRetryable(target, 'not-found');
        const { model, chain, serving, revision, requests: behind } = target.record;
        // Who asked for the run that made the model stays with it; who took back something else does not.
        const requests = [...(behind?.slice(0, 1) ?? []), ...(envelope ? [envelope] : [])];
        const restored = {
          ...{ model, chain, ...(serving && { serving }), restores: revision },
          ...(requests.length > 0 && { requests }),
        };
        return publish({ kind: 'rollback', ...restored, reason, requestedBy });
      }),
    { validator: (request) => rejectFor(rollbackProblem(request)) },
  );
  setHandler(freezeUpdate, (request) => inTurn(() => setFrozen('freeze', request)), {
    validator: (request) => rejectFor(freezeProblem(request)),
  });
  setHandler(unfreezeUpdate, (request) => inTurn(() => setFrozen('unfreeze', request)), {
    validator: (request) => rejectFor(freezeProblem(request)),
  });

  // Should it fail, the next proposal or rollback tries again, and its sender is told.
  await inTurn(recover).catch(() => undefined);
  show();
  await condition(() => workflowInfo().continueAsNewSuggested && allHandlersFinished());
  return continueAsNew<typeof endpoint>(state);

  /** A new workflow of an endpoint that the store knows goes on where the one before it ended. */
  async function recover(): Promise<void> {
    if (state.lastRevision !== undefined) return;
    const recovered = await admission.recoverRevisions(state.endpoint);
    if (recovered.kind === 'refused') throw refusal(recovered);
    const { lastRevision, revisions } = recovered.value;
    const { endpoint: name } = state;
    const { frozen } = state;
    state = {
      endpoint: name,
      ...(frozen && { frozen }),
      lastRevision,
      history: revisions,
      ...(revisions[0] && { live: revisions[0] }),
    };
  }

  /** The proposal in the name of whoever is known to have asked for it. */
  async function authorized(proposal: Proposal): Promise<Proposal> {
    if (!patched('signed-requests')) return proposal;
    const { endpoint: name } = state;
    const authority = await admission.authorizeProposal({ endpoint: name, proposal });
    if (authority.kind === 'refused') {
      const at = new Date().toISOString();
      const reason = `release: ${authority.code}: ${authority.reasons[0] ?? ''}`.slice(0, 2000);
      await signing.logEvent({ decision: 'refused', endpoint: name, by: 'unknown', reason, at });
      throw refusal(authority);
    }
    return { ...proposal, requestedBy: authority.value.requestedBy };
  }

  async function grantRollback(request: RollbackRequest | SignedRequest): Promise<GrantedRollback> {
    if (!patched('signed-requests')) return request as RollbackRequest;
    const { endpoint: name, live } = state;
    const { person, ...granted } = await grant({
      asked:
        'signed' in request ? request : { action: 'rollback', by: request.requestedBy, ...unnamed(request) },
      actions: ['rollback'],
      endpoint: name,
      ...(live && { subject: live.release }),
    });
    return { ...granted, requestedBy: person };
  }

  async function setFrozen(
    action: 'freeze' | 'unfreeze',
    request: FreezeRequest | SignedRequest,
  ): Promise<void> {
    const { frozen: _, ...thawed } = state;
    const asked = 'signed' in request ? request : { action, by: request.requestedBy, reason: request.reason };
    const {
      person: by,
      reason,
      envelope,
    } = await grant({ asked, actions: [action], endpoint: state.endpoint });
    const since = new Date().toISOString();
    const decision = action === 'freeze' ? 'frozen' : 'unfrozen';
    orRefuse(
      envelope
        ? await signing.logStatements([envelope])
        : await signing.logEvent({ decision, endpoint: state.endpoint, by, reason, at: since }),
    );
    state = action === 'freeze' ? { ...thawed, frozen: { by, reason, since } } : thawed;
    show();
  }

  function requireThawed(): void {
    if (!state.frozen) return;
    const { by, reason, since } = state.frozen;
    const message = `Endpoint ${state.endpoint} is frozen since ${since}, by ${by}: ${reason}`;
    throw ApplicationFailure.nonRetryable(message, 'endpoint-frozen', {
      ...{ kind: 'refused', code: 'endpoint-frozen', reasons: [message], evidence: [] },
      hint: errorTable['endpoint-frozen'].hint,
    });
  }

  async function publish(
    order: Omit<RevisionOrder, 'endpoint' | 'revision' | 'previous'>,
  ): Promise<Revision> {
    const revision = (state.lastRevision ?? 0) + 1;
    const previous = state.live?.release ?? null;
    const signed = await signing.signRevision({ ...order, endpoint: state.endpoint, revision, previous });
    if (signed.kind === 'refused') throw refusal(signed);
    const published = await admission.publishRevision(signed.value);
    if (published.kind === 'refused') {
      if (published.code === 'revision-outdated') {
        // Somebody else published, or the store was restored: what it holds counts, and is read before the next turn.
        const { lastRevision: _, ...rest } = state;
        state = rest;
      }
      throw refusal(published);
    }
    const live = published.value;
    const history = [live, ...state.history].slice(0, keptRevisions);
    state = { ...state, lastRevision: revision, live, history };
    show();
    if (patched('audit-log')) {
      const logged = await signing.logRelease(live);
      if (logged.kind === 'refused') throw refusal(logged);
    }
    return live;
  }

  function show(): void {
    setCurrentDetails(endpointDetails(state));
    upsertSearchAttributes([{ key: searchAttributes.endpoint, value: state.endpoint }]);
    if (state.live) upsertSearchAttributes([{ key: searchAttributes.model, value: state.live.record.model }]);
  }
}

function rejectFor(problem: string | undefined): void {
  if (problem !== undefined) throw new Error(problem);
}

type GrantedRollback = RollbackRequest & { readonly envelope?: Digest };

function unnamed({ requestedBy: _, ...rest }: RollbackRequest): Omit<RollbackRequest, 'requestedBy'> {
  return rest;
}

/** Makes callers take turns, in the order in which they came. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
