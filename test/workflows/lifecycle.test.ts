import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { lifecycleSchema, type ServingSpec } from '../../src/core/spec/index.js';
import { digestOf } from '../../src/core/store/index.js';
import {
  decideUpdate,
  type LifecycleInput,
  type LifecycleOutcome,
  progressQuery,
  queues,
  type StageName,
} from '../../src/workflows/contract.js';
import { done, modelRecord, refused, verdict, willingCast } from './cast.js';
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

interface Wishes {
  readonly name?: string;
  readonly gpu?: 'require' | 'prefer' | 'never';
  readonly reproduce?: boolean;
  readonly approval?: 'none' | 'required';
  readonly serving?: ServingSpec;
}

function start({ name = 'model', gpu = 'never', reproduce = false, approval = 'none', serving }: Wishes) {
  const lifecycle = lifecycleSchema.parse({
    apiVersion: 'assay/v1',
    name,
    data: {
      source: 'data.csv',
      id: 'id',
      label: { column: 'label', classes: ['no', 'yes'] },
      features: [{ columns: ['a'], type: 'number', minimum: 0, maximum: 1 }],
    },
    training: {
      trainer: 'built-in',
      parameters: { network: { kind: 'linear' }, epochs: 1 },
      gpu,
      reproduce,
      timeoutMinutes: 30,
    },
    gates: [
      { gate: 'accuracy', name: 'first', minimum: 0.5 },
      { gate: 'accuracy', name: 'second', minimum: 0.6 },
    ],
    ...(serving && { serving }),
    release: { endpoint: `e-${randomUUID()}`, approval },
  });
  const input: LifecycleInput = { lifecycle, source: digestOf('source'), requestedBy: 'ada' };
  return stage.client.workflow.start<(input: LifecycleInput) => Promise<LifecycleOutcome>>('lifecycle', {
    workflowId: `run-${randomUUID()}`,
    taskQueue: queues.control,
    args: [input],
  });
}
type Run = WorkflowHandle<(input: LifecycleInput) => Promise<LifecycleOutcome>>;
const run = async (wishes: Wishes) => (await start(wishes)).result();

async function stageOf(handle: Run, name: StageName) {
  const { stages } = await handle.query(progressQuery);
  return stages.find((each) => each.name === name);
}
/** Waits until a stage says so. */
async function detailOf(handle: Run, name: StageName, words: string): Promise<void> {
  while (!(await stageOf(handle, name))?.detail?.includes(words)) await sleep(20);
}
const failureOf = (promise: Promise<unknown>) =>
  promise.catch((error: { cause?: Error }) => error.cause?.message);

describe('what clients are told', () => {
  it('is verified and released as the lifecycle says', async () => {
    const serving: ServingSpec = {
      scopes: { public: { reveals: { outputs: ['label'] }, budget: { perDay: 10 } } },
    };
    const seen: unknown[] = [];
    const { attestVerdicts, signRevision } = cast.signing;
    cast.signing.attestVerdicts = (input) => {
      seen.push(input.serving);
      return attestVerdicts(input);
    };
    cast.signing.signRevision = (order) => {
      seen.push(order.serving);
      return signRevision(order);
    };
    expect(await run({ serving })).toMatchObject({ status: 'released' });
    expect(seen).toEqual([serving, serving]);
  });
});

describe('where a model is trained', () => {
  const trainedBy: string[] = [];
  beforeEach(() => {
    trainedBy.length = 0;
    for (const role of ['cpu', 'gpu'] as const) {
      cast[role].trainModel = async ({ name }) => {
        trainedBy.push(role);
        return done({ record: modelRecord(name), worker: role });
      };
    }
  });

  it('`require` waits for a GPU worker, visibly, and then refuses', async () => {
    const handle = await start({ gpu: 'require' });
    await detailOf(handle, 'train', 'waits for a worker on assay-gpu');
    expect(await handle.result()).toMatchObject({
      status: 'refused',
      stage: 'train',
      code: 'no-worker',
      reasons: [expect.stringContaining('assay-gpu')],
    });
    expect(trainedBy).toEqual([]);
  });

  it('`prefer` takes a CPU when no GPU worker polls, and when the one that polled is gone', async () => {
    expect(await run({ gpu: 'prefer' })).toMatchObject({ status: 'released' });
    cast.control.hasPollers = async () => true;
    expect(await run({ gpu: 'prefer' })).toMatchObject({ status: 'released' });
    expect(trainedBy).toEqual(['cpu', 'cpu']);
  });

  it('`require` and `prefer` take a GPU worker that polls, `never` does not', async () => {
    await stage.startGpuWorker();
    cast.control.hasPollers = async (queue) => queue === queues.gpu;
    await run({ gpu: 'require' });
    await run({ gpu: 'prefer' });
    await run({ gpu: 'never' });
    expect(trainedBy).toEqual(['gpu', 'gpu', 'cpu']);
  });
});

describe('a run', () => {
  it('leaves it to the trainer to end a training that takes too long, as a refusal', async () => {
    let limitMs = 0;
    cast.cpu.trainModel = async ({ name }) => {
      limitMs = Context.current().info.startToCloseTimeoutMs;
      return done({ record: modelRecord(name), worker: 'cpu' });
    };
    await run({});
    expect(limitMs).toBeGreaterThan(30 * 60_000);
  });

  it('asks another worker than the first to reproduce, and is refused when the bytes differ', async () => {
    let askedNotOn: string | undefined;
    cast.cpu.trainModel = async ({ purpose, notOn }) => {
      if (purpose === 'reproduction') askedNotOn = notOn;
      return done({ record: modelRecord(purpose), worker: `worker of the ${purpose}` });
    };
    expect(await run({ reproduce: true })).toMatchObject({
      status: 'refused',
      stage: 'reproduce',
      code: 'irreproducible',
    });
    expect(askedNotOn).toBe('worker of the model');
  });

  it('that fails a gate releases nothing, names the gate, and puts every verdict on record', async () => {
    const recorded: string[] = [];
    cast.cpu.mergeEvaluation = async ({ gate }) =>
      done(verdict(gate.name!, gate.name === 'second' ? 'fail' : 'pass'));
    cast.signing.attestTests = async ({ verdicts }) => {
      recorded.push(...verdicts.map(({ gate, status }) => `${gate} ${status}`));
      return done([]);
    };
    expect(await run({})).toMatchObject({
      status: 'refused',
      stage: 'evaluate',
      code: 'gate-failed',
      reasons: ['second: It says fail.'],
      evidence: [digestOf('evidence of second')],
      verdicts: [{ gate: 'first' }, { gate: 'second' }],
    });
    expect(recorded).toEqual(['first pass', 'second fail']);
  });

  it('puts no verdict on record when a gate could not be run', async () => {
    let asked = false;
    cast.cpu.evaluateShard = async () => refused('model-unreadable', 'It is no model.');
    cast.signing.attestTests = async () => {
      asked = true;
      return done([]);
    };
    expect(await run({})).toMatchObject({ status: 'refused', code: 'model-unreadable' });
    expect(asked).toBe(false);
  });

  it('reads its source with the rows that people let in, and not at all when it was revoked', async () => {
    const releases = [{ decision: digestOf('decision'), rows: [digestOf('row')] }];
    const asked: unknown[] = [];
    const { ingestSource } = cast.cpu;
    cast.cpu.ingestSource = async (order) => {
      asked.push(order.releases);
      return ingestSource(order);
    };
    cast.control.readDataDecisions = async () => done(releases);
    expect(await run({ name: 'decided' })).toMatchObject({ status: 'released' });
    cast.control.readDataDecisions = async () => refused('data-revoked', 'Revoked by ada.');
    expect(await run({ name: 'revoked' })).toMatchObject({
      status: 'refused',
      stage: 'ingest',
      code: 'data-revoked',
    });
    expect(asked).toEqual([releases]);
  });

  it('is released with what the endpoint publishes, and refused with what the endpoint refuses', async () => {
    expect(await run({ name: 'good' })).toMatchObject({
      status: 'released',
      revision: 1,
      model: digestOf('good'),
    });
    cast.control.publishRevision = async () => refused('release-unverified', 'One byte differs.');
    expect(await run({ name: 'bad' })).toMatchObject({
      status: 'refused',
      stage: 'release',
      code: 'release-unverified',
      reasons: ['One byte differs.'],
    });
  });

  it('fails when its endpoint fails, instead of asking again for an answer that stays the same', async () => {
    cast.signing.signRevision = async () => {
      throw ApplicationFailure.nonRetryable('the key is gone');
    };
    const error = await run({}).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause?.cause).toMatchObject({
      type: 'ProposalFailed',
      message: expect.stringContaining('the key is gone'),
    });
  });

  it('cancelled while it trains ends as cancelled, and so does the training', async () => {
    let ended = (): void => undefined;
    const trainingEnded = new Promise<void>((resolve) => {
      ended = resolve;
    });
    cast.cpu.trainModel = async () => {
      const beat = setInterval(() => Context.current().heartbeat(), 50);
      try {
        return await Context.current().cancelled;
      } finally {
        clearInterval(beat);
        ended();
      }
    };
    const handle = await start({});
    while ((await stageOf(handle, 'train'))?.status !== 'running') await sleep(20);
    await handle.cancel();
    const error = await handle.result().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    await trainingEnded;
  });
});

describe('the decision of a person', () => {
  const decide = (handle: Run, decision: unknown) =>
    handle.executeUpdate(decideUpdate, { args: [decision as never] });
  const yes = { decision: 'approve', by: 'ada', reason: 'figures look right' };

  it('is not taken before the run asks for it, nor without a name, a reason and a choice', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    cast.cpu.ingestSource = async (input) => {
      await held;
      return (await willingCast()).cpu.ingestSource(input);
    };
    const handle = await start({ approval: 'required' });
    expect(await failureOf(decide(handle, yes))).toBe('This run does not wait for a decision.');
    letGo();
    await detailOf(handle, 'approve', 'waits for a person');
    expect(await failureOf(decide(handle, { ...yes, decision: 'maybe' }))).toContain('"approve" or "reject"');
    expect(await failureOf(decide(handle, { ...yes, by: ' ' }))).toContain('Say who decides');
    await decide(handle, yes);
    expect(await handle.result()).toMatchObject({ status: 'released' });
  });

  it('to reject is signed like any other, and refuses the run', async () => {
    const signed: unknown[] = [];
    cast.signing.attestDecision = async ({ decision }) => {
      signed.push(decision);
      return refused('rejected', `${decision.by} rejected the model: ${decision.reason}`);
    };
    const handle = await start({ approval: 'required' });
    await detailOf(handle, 'approve', 'waits for a person');
    const no = { decision: 'reject', by: 'ada', reason: 'zeros look wrong' };
    await decide(handle, no);
    expect(await handle.result()).toMatchObject({ status: 'refused', stage: 'approve', code: 'rejected' });
    expect(signed).toEqual([no]);
  });

  it('takes as many people as the trust policy asks for, though the lifecycle asks for none', async () => {
    cast.control.approvalsNeeded = async () => done({ needed: 2 });
    const approvedBefore: unknown[] = [];
    const { checkRequest } = cast.control;
    cast.control.checkRequest = (check) => {
      if (check.approval) approvedBefore.push(check.approval);
      return checkRequest(check);
    };
    const proposed: unknown[] = [];
    cast.signing.signRevision = (order) => {
      proposed.push(order.chain.approvals?.length);
      return (async () => (await willingCast()).signing.signRevision(order))();
    };
    const handle = await start({});
    await detailOf(handle, 'approve', 'waits for 2 people');
    await decide(handle, yes);
    await detailOf(handle, 'approve', `approved by ${yes.by}`);
    expect((await handle.query(progressQuery)).awaiting).toMatchObject({ needed: 2, approvedBy: [yes.by] });
    await decide(handle, { ...yes, by: 'grace' });
    expect(await handle.result()).toMatchObject({ status: 'released' });
    expect(approvedBefore).toEqual([
      { runner: 'ada', approvedBy: [] },
      { runner: 'ada', approvedBy: [yes.by] },
    ]);
    expect(proposed).toEqual([2]);
  });

  it('counts for nothing when it is refused: the run waits on', async () => {
    const { checkRequest } = cast.control;
    const logged: unknown[] = [];
    cast.signing.logEvent = async (event) => {
      logged.push(event);
      return done(null);
    };
    cast.control.checkRequest = async (check) =>
      check.approval ? refused('role-missing', 'You are nobody here.') : checkRequest(check);
    const handle = await start({ approval: 'required' });
    await detailOf(handle, 'approve', 'waits for a person');
    expect(await failureOf(decide(handle, yes))).toBe('You are nobody here.');
    expect(logged).toMatchObject([{ decision: 'refused', reason: expect.stringContaining('role-missing') }]);
    expect((await handle.query(progressQuery)).awaiting).toMatchObject({ approvedBy: [] });
    cast.control.checkRequest = checkRequest;
    await decide(handle, yes);
    expect(await handle.result()).toMatchObject({ status: 'released' });
  });

  it('to start a run is needed before anything is read', async () => {
    let read = 0;
    cast.control.checkRequest = async () => refused('role-missing', 'You start nothing here.');
    cast.cpu.ingestSource = async () => {
      read += 1;
      return refused('data-refused', 'read');
    };
    expect(await run({})).toMatchObject({ status: 'refused', stage: 'ingest', code: 'role-missing' });
    expect(read).toBe(0);
  });
});
