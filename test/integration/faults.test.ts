import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findExecutable, startEmbeddedServer } from '../../src/workers/server/index.js';
import type { LifecycleOutcome } from '../../src/workflows/contract.js';
import { buildPlant, type Plant, type PlantWorker } from '../support/plant.js';
import { sharedTemporal } from '../support/temporal.js';
import { recordHistory, replay } from '../workflows/recorded-histories.js';
import { type DigitsChanges, writeDigits } from './digits-lifecycle.js';
import { fractionOf, reaches, statusOf, underWay } from './watch-run.js';

/** Some seconds of training and some of attack: time enough for a kill to land in the middle. */
const unhurried: DigitsChanges = {
  training: {
    trainer: 'built-in',
    seed: 7,
    reproduce: false,
    parameters: {
      network: { kind: 'cnn', channels: [16, 16], hidden: [32] },
      epochs: 16,
      learningRate: 0.003,
      checkpointEverySeconds: 0.5,
    },
  },
  gates: [
    { gate: 'accuracy', minimum: 0.85 },
    {
      gate: 'evasion',
      norm: 'linf',
      epsilon: 0.02,
      minimum: 0.5,
      // Three shards.
      samples: 260,
      pgd: { steps: 20, restarts: 2 },
      apgd: { steps: 25 },
      square: { queries: 100 },
    },
  ],
};

/**
 * Each fault hits a plant with a store of its own; the outcome must be that of a run that nothing disturbed, down to
 * the digests of snapshot, model and evidence. Only the release itself differs: signatures and times are new each time.
 */
describe('a run ends as if nothing had happened', () => {
  let folder: string;
  let undisturbed: Promise<LifecycleOutcome>;
  const plants: Plant[] = [];

  const build = async (address = sharedTemporal().address) => {
    const plant = await buildPlant(address);
    plants.push(plant);
    return plant;
  };
  const start = (plant: Plant) => plant.client.start(writeDigits(folder, unhurried));

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-faults-'));
    // Not awaited: it runs beside the first fault.
    undisturbed = (async () => {
      const plant = await build();
      await plant.startWorker('control', 'cpu', 'signing');
      return plant.client.outcome(await start(plant));
    })();
    undisturbed.catch(() => undefined);
  });
  afterEach(async () => {
    await undisturbed.catch(() => undefined);
    await Promise.all(plants.splice(0).map((plant) => plant.stop()));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('when the training worker is killed: another one resumes from its checkpoint', async () => {
    const { plant, run, killedAt, victim, family } = await inTime(async () => {
      const built = await build();
      const [first, second] = await Promise.all([
        built.startWorker('cpu'),
        built.startWorker('cpu'),
        built.startWorker('control', 'signing'),
      ]);
      const started = await start(built);
      const progress = await reaches(built, started, underWay('trainModel', 0.4));
      const worker = await workerOf(built, started, 'trainModel', [first, second]);
      const children = descendantsOf(worker.process.pid!);
      expect(children.length).toBeGreaterThan(0);
      return {
        plant: built,
        run: started,
        killedAt: fractionOf('trainModel', progress),
        victim: worker,
        family: children,
      };
    });
    await victim.kill();

    await reaches(plant, run, ({ running }) =>
      running.some(({ activity, attempt }) => activity === 'trainModel' && attempt === 2),
    );
    expect(alive(family)).toEqual([]);
    let least = 1;
    await reaches(plant, run, (progress) => {
      if (progress.running.some(({ activity }) => activity === 'trainModel'))
        least = Math.min(least, fractionOf('trainModel', progress));
      return statusOf('train', progress) === 'done';
    });
    // From the beginning, the second attempt would have reported less.
    expect(least).toBeGreaterThan(killedAt / 2);
    expect(identical(await plant.client.outcome(run))).toEqual(identical(await undisturbed));
    expect(await retried(plant, run)).toEqual(['trainModel']);
    await replay(await recordHistory(plant.temporal, run, 'lifecycle-killed'));
  });

  it('when a worker is killed in the middle of a shard: another one goes on there, and repeats no other shard', async () => {
    const { plant, run, killedAt, victim } = await inTime(async () => {
      const built = await build();
      const compute = await Promise.all([built.startWorker('cpu'), built.startWorker('cpu')]);
      await built.startWorker('control', 'signing');
      const started = await start(built);
      // The last shard alone is left, and some of its attacks are behind it.
      const last = await reaches(
        built,
        started,
        ({ running }) =>
          running.length === 1 && running[0]!.activity === 'evaluateShard' && running[0]!.fraction > 0.3,
      );
      const fraction = fractionOf('evaluateShard', last);
      expect(fraction).toBeLessThan(1);
      // Two of the evasion gate, and the one of the accuracy gate.
      expect(await completed(built, started, 'evaluateShard')).toBe(3);
      const worker = await workerOf(built, started, 'evaluateShard', compute);
      return { plant: built, run: started, killedAt: fraction, victim: worker };
    });
    await victim.kill();

    let least = 1;
    await reaches(plant, run, (progress) => {
      const second = progress.running.find(
        ({ activity, attempt }) => activity === 'evaluateShard' && attempt === 2,
      );
      if (second) least = Math.min(least, second.fraction);
      return statusOf('evaluate', progress) === 'done';
    });
    // From the beginning, the second attempt would have reported less.
    expect(least).toBeGreaterThan(killedAt / 2);
    expect(identical(await plant.client.outcome(run))).toEqual(identical(await undisturbed));
    expect(await retried(plant, run)).toEqual(['evaluateShard']);
    expect(await completed(plant, run, 'evaluateShard')).toBe(4);
  });

  it('when the workers that sign and publish are killed during the release', async () => {
    const plant = await build();
    const [office] = await Promise.all([plant.startWorker('control', 'signing'), plant.startWorker('cpu')]);
    const run = await start(plant);
    await reaches(plant, run, ({ running }) => running.some(({ activity }) => activity === 'proposeRelease'));
    await office.kill();
    await plant.startWorker('control', 'signing');
    const outcome = await plant.client.outcome(run);
    expect(identical(outcome)).toEqual(identical(await undisturbed));
    expect(await retried(plant, run)).toEqual(['proposeRelease']);
    const { history } = await plant.client.endpoint('digits');
    expect(history.map(({ release }) => release)).toEqual([outcome.status === 'released' && outcome.release]);
  });

  it('when the Temporal server is killed', async () => {
    const { executable } = await findExecutable();
    const databaseFile = path.join(folder, 'temporal.sqlite');
    const server = await startEmbeddedServer({ executable, databaseFile, port: 0, uiPort: 0 });
    const plant = await build(server.address);
    await plant.startWorker('control', 'cpu', 'signing');
    const run = await start(plant);
    await reaches(plant, run, ({ running }) => running.some(({ activity }) => activity === 'trainModel'));
    process.kill(server.pid, 'SIGKILL');
    await server.exited;

    const again = await startEmbeddedServer({
      executable,
      databaseFile,
      port: Number(server.address.split(':')[1]),
      uiPort: 0,
    });
    try {
      expect(identical(await plant.client.outcome(run))).toEqual(identical(await undisturbed));
    } finally {
      await again.stop();
    }
  });
});

/** What must not depend on faults. */
function identical(outcome: LifecycleOutcome) {
  if (outcome.status !== 'released') throw new Error(`expected a release, got ${JSON.stringify(outcome)}`);
  const { release: _, ...rest } = outcome;
  return rest;
}

/** The worker that has an activity in hand. */
/** On a busy machine a stage may be over by the time that it is seen under way: then another run is begun. */
async function inTime<Caught>(attempt: () => Promise<Caught>, tries = 3): Promise<Caught> {
  try {
    return await attempt();
  } catch (error) {
    if (tries === 1) throw error;
    return inTime(attempt, tries - 1);
  }
}

async function workerOf(
  plant: Plant,
  run: string,
  activity: string,
  workers: readonly PlantWorker[],
): Promise<PlantWorker> {
  const { raw } = await plant.temporal.workflow.getHandle(run).describe();
  const identities = (raw.pendingActivities ?? [])
    .filter(({ activityType }) => activityType?.name === activity)
    .map(({ lastWorkerIdentity }) => lastWorkerIdentity);
  const worker = workers.find(({ identity }) => identities.includes(identity));
  if (worker === undefined) throw new Error(`expected a worker at ${activity}, got ${identities}`);
  return worker;
}

/** The activities that took more than one attempt. */
async function retried(plant: Plant, run: string): Promise<readonly (string | null | undefined)[]> {
  const { events } = await plant.temporal.workflow.getHandle(run).fetchHistory();
  return (events ?? [])
    .map(({ activityTaskStartedEventAttributes }) => activityTaskStartedEventAttributes)
    .filter((started) => (started?.attempt ?? 1) > 1)
    .map((started) => {
      const scheduled = events?.find(({ eventId }) => eventId?.eq(started!.scheduledEventId!));
      return scheduled?.activityTaskScheduledEventAttributes?.activityType?.name;
    });
}

/** How many activities of a kind ended well. */
async function completed(plant: Plant, run: string, activity: string): Promise<number> {
  const { events = [] } = await plant.temporal.workflow.getHandle(run).fetchHistory();
  return events!.filter(({ activityTaskCompletedEventAttributes: done }) => {
    const scheduled = done && events!.find(({ eventId }) => eventId?.eq(done.scheduledEventId!));
    return scheduled?.activityTaskScheduledEventAttributes?.activityType?.name === activity;
  }).length;
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function processes(): readonly ProcessEntry[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state: state! };
    });
}

function descendantsOf(ancestor: number): readonly number[] {
  const all = processes();
  const below = (parent: number): number[] =>
    all.filter((entry) => entry.parent === parent).flatMap(({ pid }) => [pid, ...below(pid)]);
  return below(ancestor);
}

/** Those that still run; a zombie does not. */
function alive(pids: readonly number[]): readonly number[] {
  return processes()
    .filter(({ pid, state }) => pids.includes(pid) && !state.startsWith('Z'))
    .map(({ pid }) => pid);
}
