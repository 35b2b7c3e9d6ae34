import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
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
import { continuesLive, rollbackTarget } from './revisions.js';
import { control, signing } from './stages.js';

const keptRevisions = 100;

/** The life of one endpoint: it alone numbers revisions, one at a time, and publishes none that does not verify. */
export async function endpoint(initial: EndpointState): Promise<never> {
  let state = initial;
  const inTurn = createTurns();
  // Handlers are set before the first await, and what they do waits in line behind the recovery.
  const recovered = inTurn(async () => {
    if (!state.live) state = await recover(state);
    show();
  });

  setHandler(endpointStateQuery, () => state);
  setHandler(proposeUpdate, (proposal) =>
    inTurn(async () => {
      if (continuesLive(state.live, proposal)) return state.live!;
      return publish({ kind: 'release', ...proposal });
    }),
  );
  setHandler(
    rollbackUpdate,
    (request) =>
      inTurn(async () => {
        const target = rollbackTarget(state, request.toRevision);
        if (typeof target === 'string') throw ApplicationFailure.nonRetryable(target, 'not-found');
        const { model, chain, revision } = target.record;
        const { reason, requestedBy } = request;
        return publish({ kind: 'rollback', model, chain, restores: revision, reason, requestedBy });
      }),
    {
      validator: ({ reason, requestedBy }) => {
        if (!reason?.trim() || !requestedBy?.trim())
          throw new Error('Say who rolls back (requestedBy) and why (reason).');
      },
    },
  );

  await recovered;
  await condition(() => workflowInfo().continueAsNewSuggested && allHandlersFinished());
  return continueAsNew<typeof endpoint>(state);

  async function publish(
    order: Omit<RevisionOrder, 'endpoint' | 'revision' | 'previous'>,
  ): Promise<Revision> {
    const revision = (state.live?.record.revision ?? 0) + 1;
    const previous = state.live?.release ?? null;
    const signed = await signing.signRevision({ ...order, endpoint: state.endpoint, revision, previous });
    if (signed.kind === 'refused') throw refusal(signed);
    const published = await control.publishRevision(signed.value);
    if (published.kind === 'refused') throw refusal(published);
    const history = [signed.value, ...state.history].slice(0, keptRevisions);
    state = { ...state, live: signed.value, history };
    show();
    return signed.value;
  }

  function show(): void {
    setCurrentDetails(endpointDetails(state));
    upsertSearchAttributes([{ key: searchAttributes.endpoint, value: state.endpoint }]);
    if (state.live) upsertSearchAttributes([{ key: searchAttributes.model, value: state.live.record.model }]);
  }
}

/** A new workflow of an endpoint that the store knows goes on where the one before it ended. */
async function recover({ endpoint: name }: EndpointState): Promise<EndpointState> {
  const history = await control.recoverRevisions(name);
  return { endpoint: name, history, ...(history[0] && { live: history[0] }) };
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
