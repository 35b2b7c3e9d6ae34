import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { digestOf } from '../../src/core/store/index.js';
import {
  type EndpointState,
  endpointStateQuery,
  endpointWorkflowId,
  freezeUpdate,
  type Proposal,
  proposeUpdate,
  queues,
  type Revision,
  type RollbackRequest,
  rollbackUpdate,
  unfreezeUpdate,
} from '../../src/workflows/contract.js';
import { done, refused, willingCast } from './cast.js';
import { type Cast, type StageSet, setStage } from './stage-set.js';

let cast: Cast;
let stage: StageSet;
beforeAll(async () => {
  cast = await willingCast();
  stage = await setStage(cast);
});
afterAll(() => stage.stop());
beforeEach(async () => {
  Object.assign(cast, await willingCast());
});

type Endpoint = WorkflowHandle<(state: EndpointState) => Promise<never>>;
async function open(): Promise<Endpoint> {
  const name = `e-${randomUUID()}`;
  await stage.client.workflow.start('endpoint', {
    workflowId: endpointWorkflowId(name),
    taskQueue: queues.control,
    args: [{ endpoint: name, history: [] }],
  });
  return stage.client.workflow.getHandle(endpointWorkflowId(name));
}
const proposal = (model: string, reason = `run of ${model}`): Proposal => ({
  model: digestOf(model),
  chain: {
    data: digestOf('data'),
    signature: digestOf(`signature of ${model}`),
    provenance: digestOf('provenance'),
    tests: [digestOf('test')],
    verification: digestOf(`verification of ${model}`),
  },
  reason,
  requestedBy: 'ada',
});
const propose = (endpoint: Endpoint, what: unknown): Promise<Revision> =>
  endpoint.executeUpdate(proposeUpdate, { args: [what as Proposal] });
const rollback = (endpoint: Endpoint, request: unknown = { reason: 'drill', requestedBy: 'ada' }) =>
  endpoint.executeUpdate(rollbackUpdate, { args: [request as RollbackRequest] });
const messageOf = (update: Promise<unknown>) =>
  update.then(
    () => 'accepted',
    (error: Error) => (error instanceof WorkflowUpdateFailedError ? error.cause!.message : error.message),
  );
const state = (endpoint: Endpoint) => endpoint.query(endpointStateQuery);

describe('an endpoint', () => {
  it('takes proposals one at a time, and chains each revision to the one before', async () => {
    let publishing = 0;
    const together: number[] = [];
    cast.control.publishRevision = async (revision) => {
      publishing += 1;
      together.push(publishing);
      await sleep(20);
      publishing -= 1;
      return done(revision);
    };
    const endpoint = await open();
    await Promise.all(['a', 'b', 'c', 'd'].map((model) => propose(endpoint, proposal(model))));
    expect(together).toEqual([1, 1, 1, 1]);
    const { live, history } = await state(endpoint);
    expect(history.map(({ record }) => record.revision)).toEqual([4, 3, 2, 1]);
    expect(history.map(({ record }) => record.previous)).toEqual([
      ...history.slice(1).map(({ release }) => release),
      null,
    ]);
    expect(live).toEqual(history[0]);
  });

  it('publishes what is live already no second time', async () => {
    const endpoint = await open();
    const first = await propose(endpoint, proposal('a'));
    expect(await propose(endpoint, proposal('a', 'another run'))).toEqual(first);
  });

  it.each([
    ['no proposal at all', propose, undefined],
    ['an empty proposal', propose, {}],
    ['a proposal without a chain', propose, { ...proposal('a'), chain: null }],
    ['a reason without end', propose, { ...proposal('a'), reason: 'x'.repeat(1001) }],
    ['no request at all', rollback, null],
    ['a rollback by nobody', rollback, { reason: 'drill' }],
    ['a reason that is no text', rollback, { reason: ['drill'], requestedBy: 'ada' }],
    ['a number in words', rollback, { reason: 'drill', requestedBy: 'ada', toRevision: 'one' }],
  ])('turns away %s, and goes on', async (_what, update, argument) => {
    const endpoint = await open();
    await propose(endpoint, proposal('a'));
    expect(await messageOf(update(endpoint, argument))).toMatch(/^(Say who|Expected)/);
    expect((await propose(endpoint, proposal('b'))).record.revision).toBe(2);
  });

  it('stays as it is when a revision is refused, and takes the next proposal', async () => {
    const endpoint = await open();
    await propose(endpoint, proposal('a'));
    const before = await state(endpoint);
    cast.control.publishRevision = async () => refused('release-unverified', 'One byte differs.');
    expect(await messageOf(propose(endpoint, proposal('b')))).toBe('One byte differs.');
    expect(await state(endpoint)).toEqual(before);
    cast.control.publishRevision = async (revision) => done(revision);
    expect((await propose(endpoint, proposal('b'))).record.revision).toBe(2);
  });

  it('rolls back to another model only, and says so when there is none', async () => {
    const endpoint = await open();
    expect(await messageOf(rollback(endpoint))).toContain('has no live revision');
    await propose(endpoint, proposal('a'));
    expect(await messageOf(rollback(endpoint))).toContain('has served no other model');
    await propose(endpoint, proposal('b'));
    expect((await rollback(endpoint)).record).toMatchObject({
      revision: 3,
      kind: 'rollback',
      restores: 1,
      model: digestOf('a'),
    });
  });

  it('publishes the same model anew when it reveals other things, and brings back what a revision revealed', async () => {
    const endpoint = await open();
    const revealing = (outputs: ['label'] | ['label', 'probabilities']) => ({
      ...proposal('a'),
      serving: { scopes: { public: { reveals: { outputs } } } },
    });
    await propose(endpoint, revealing(['label']));
    expect((await propose(endpoint, revealing(['label']))).record.revision).toBe(1);
    const wider = await propose(endpoint, revealing(['label', 'probabilities']));
    expect(wider.record).toMatchObject({
      revision: 2,
      serving: revealing(['label', 'probabilities']).serving,
    });
    const back = await rollback(endpoint, { toRevision: 1, reason: 'too much', requestedBy: 'ada' });
    expect(back.record).toMatchObject({ revision: 3, restores: 1, serving: revealing(['label']).serving });
  });
});

describe('who asks an endpoint', () => {
  const freezeWith = (endpoint: Endpoint, update: typeof freezeUpdate) =>
    endpoint.executeUpdate(update, { args: [{ reason: 'audit', requestedBy: 'ada' }] });

  it('has to be allowed to, or nothing changes', async () => {
    const endpoint = await open();
    await propose(endpoint, proposal('a'));
    await propose(endpoint, proposal('b'));
    const before = await state(endpoint);
    cast.control.checkRequest = async () => refused('role-missing', 'You are nobody here.');
    cast.control.authorizeProposal = async () => refused('release-unverified', 'Nobody asked for it.');
    expect(await messageOf(rollback(endpoint))).toBe('You are nobody here.');
    expect(await messageOf(freezeWith(endpoint, freezeUpdate))).toBe('You are nobody here.');
    expect(await messageOf(propose(endpoint, proposal('c')))).toBe('Nobody asked for it.');
    expect(await state(endpoint)).toEqual(before);
  });

  it('is on record by proof, whatever the proposal says', async () => {
    cast.control.authorizeProposal = async () => done({ requestedBy: 'grace' });
    const { record } = await propose(await open(), proposal('a'));
    expect(record.requestedBy).toBe('grace');
  });

  it('may freeze it: nothing new comes in until it is let go, but a rollback does', async () => {
    const endpoint = await open();
    await propose(endpoint, proposal('a'));
    await propose(endpoint, proposal('b'));
    await freezeWith(endpoint, freezeUpdate);
    expect(await messageOf(propose(endpoint, proposal('c')))).toContain('is frozen since');
    expect((await rollback(endpoint)).record.revision).toBe(3);
    await freezeWith(endpoint, unfreezeUpdate);
    expect((await propose(endpoint, proposal('c'))).record.revision).toBe(4);
  });

  it('of a rollback does not lose who asked for the run behind the model', async () => {
    const endpoint = await open();
    await propose(endpoint, { ...proposal('a'), requests: [digestOf('run a')] });
    await propose(endpoint, { ...proposal('b'), requests: [digestOf('run b')] });
    cast.control.checkRequest = async () =>
      done({ action: 'rollback', person: 'grace', reason: 'drill', envelope: digestOf('rollback') });
    const { record } = await rollback(endpoint, { signed: 'a bundle' });
    expect(record).toMatchObject({
      requestedBy: 'grace',
      requests: [digestOf('run a'), digestOf('rollback')],
    });
  });
});

describe('an endpoint that the store knows', () => {
  const stored = (number: number, model: string): Revision => ({
    release: digestOf(`revision ${number}`),
    record: {
      ...proposal(model),
      endpoint: 'any',
      revision: number,
      kind: 'release',
      previous: null,
      createdAt: '2026-01-01T00:00:00Z',
    },
  });

  it('goes on from there, past revisions that no longer verify', async () => {
    cast.control.recoverRevisions = async () =>
      done({ lastRevision: 9, revisions: [stored(7, 'b'), stored(6, 'a')] });
    const endpoint = await open();
    expect((await rollback(endpoint)).record).toMatchObject({
      revision: 10,
      restores: 6,
      previous: digestOf('revision 7'),
    });
  });

  it('tells the sender when the store cannot be read, and reads it again for the next', async () => {
    cast.control.recoverRevisions = async () => refused('record-corrupt', 'The ref holds something else.');
    const endpoint = await open();
    expect(await messageOf(propose(endpoint, proposal('a')))).toBe('The ref holds something else.');
    cast.control.recoverRevisions = async () => done({ lastRevision: 4, revisions: [stored(4, 'b')] });
    expect((await propose(endpoint, proposal('a'))).record.revision).toBe(5);
  });

  it('reads the store again after somebody else published', async () => {
    const endpoint = await open();
    await propose(endpoint, proposal('a'));
    cast.control.publishRevision = async () => refused('revision-outdated', 'Revision 5 is published.');
    cast.control.recoverRevisions = async () => done({ lastRevision: 5, revisions: [stored(5, 'b')] });
    expect(await messageOf(propose(endpoint, proposal('c')))).toBe('Revision 5 is published.');
    cast.control.publishRevision = async (revision) => done(revision);
    expect((await propose(endpoint, proposal('c'))).record.revision).toBe(6);
  });
});

describe('an endpoint that continues as new', () => {
  it('keeps its state, and what was rolled back stays so when its proposal is sent again', async () => {
    let recoveries = 0;
    cast.control.recoverRevisions = async () => {
      recoveries += 1;
      return done({ lastRevision: 0, revisions: [] });
    };
    const endpoint = await open();
    await propose(endpoint, proposal('a'));
    const second = await propose(endpoint, proposal('b'));
    const { runId } = await endpoint.describe();
    await rollback(endpoint, { reason: 'continue as new', requestedBy: 'ada' });
    while ((await endpoint.describe()).runId === runId) await sleep(20);
    const before = await state(endpoint);
    expect(before.history.map(({ record }) => record.revision)).toEqual([3, 2, 1]);

    expect(await propose(endpoint, proposal('b'))).toEqual(second);
    expect((await state(endpoint)).live).toEqual(before.live);
    expect((await propose(endpoint, proposal('b', 'run again, on purpose'))).record.revision).toBe(4);
    expect(recoveries).toBe(1);
  });
});
