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
import type { RevisionOrder, StageRefusal } from '../activities/index.js';
import {
  type EndpointState,
  endpointStateQuery,
  proposeUpdate,
  type Revision,
  rollbackUpdate,
  searchAttributes,
} from './contract.js';
import { endpointDetails } from './details.js';
import {
  continuesLive,
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
    ({ model, chain, serving, reason, requestedBy }) =>
      inTurn(async () => {
        await recover();
        const proposal = { model, chain, ...(serving && { serving }), reason, requestedBy };
        if (continuesLive(state.live, proposal)) return state.live!;
        return publishedBefore(state, proposal) ?? publish({ kind: 'release', ...proposal });
      }),
    { validator: (proposal) => rejectFor(proposalProblem(proposal)) },
  );
  setHandler(
    rollbackUpdate,
    ({ toRevision, reason, requestedBy }) =>
      inTurn(async () => {
        await recover();
        const target = rollbackTarget(state, toRevision);
        if (typeof target === 'string') throw ApplicationFailure.nonRetryable(target, 'not-found');
        const { model, chain, serving, revision } = target.record;
        const restored = { model, chain, ...(serving && { serving }), restores: revision };
        return publish({ kind: 'rollback', ...restored, reason, requestedBy });
      }),
    { validator: (request) => rejectFor(rollbackProblem(request)) },
  );

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
    state = {
      endpoint: name,
      lastRevision,
      history: revisions,
      ...(revisions[0] && { live: revisions[0] }),
    };
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

function refusal(result: StageRefusal): ApplicationFailure {
  return ApplicationFailure.nonRetryable(result.reasons.join('\n'), result.code, result);
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
