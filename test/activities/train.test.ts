import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Heartbeat } from '../../src/activities/heartbeat.js';
import { createTrain, type TrainInput } from '../../src/activities/train.js';
import { type Digest, trainingSchema } from '../../src/core/spec/index.js';
import type { Store } from '../../src/core/store/index.js';
import { digitsSnapshot } from '../core/training/snapshots.js';
import { attempt } from './attempt.js';

let folder: string;
let store: Store;
let snapshot: Digest;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'train-activity-'));
  ({ store, snapshot } = await digitsSnapshot(folder, 300));
});
afterAll(() => rm(folder, { recursive: true }));

const worker = (identity: string) =>
  createTrain({
    store,
    identity,
    scratch: path.join(folder, 'scratch'),
    withDevice: (use) => use(undefined),
  });
const order = (epochs: number, changes: Partial<TrainInput> = {}): TrainInput => ({
  name: 'digits',
  snapshot,
  purpose: 'model',
  training: trainingSchema.parse({
    trainer: 'built-in',
    parameters: { network: { kind: 'linear' }, epochs, checkpointEverySeconds: 0.01 },
  }),
  ...changes,
});
const scheduled = (minutesAgo: number) => ({ scheduledTimestampMs: Date.now() - minutesAgo * 60_000 });

describe('a training', () => {
  it('cancelled in the middle ends at once, leaves no files, and is resumed elsewhere to the same bytes', async () => {
    const undisturbed = await attempt().run(() => worker('a')(order(300)));
    if (undisturbed.kind === 'refused') throw new Error(undisturbed.reasons.join());

    // The purpose is part of the key, and no part of the model: the second training is a real one.
    const again = order(300, { purpose: 'reproduction', notOn: 'a' });
    const first = attempt(scheduled(0));
    let last: Heartbeat | undefined;
    first.onHeartbeat((details) => {
      const beat = details as Heartbeat;
      last = beat;
      if (beat.checkpoint) first.cancel();
    });
    await expect(first.run(() => worker('b')(again))).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(last?.checkpoint).toBeDefined();
    expect(await readdir(path.join(folder, 'scratch'))).toEqual([]);

    const beats: Heartbeat[] = [];
    const second = attempt({ ...scheduled(0), heartbeatDetails: last });
    second.onHeartbeat((beat) => beats.push(beat as Heartbeat));
    const resumed = await second.run(() => worker('c')(again));
    expect(resumed).toMatchObject({
      kind: 'done',
      value: { worker: 'c', record: { model: undisturbed.value.record.model } },
    });
    // The first progress it makes goes on from the checkpoint.
    const fresh = beats.find(({ detail }) => detail !== undefined && detail !== last?.detail);
    expect(fresh!.fraction).toBeGreaterThan(0);
    expect(beats.every(({ checkpoint }) => checkpoint !== undefined)).toBe(true);
  });
});

describe('a reproduction', () => {
  const reproduction = () => order(3, { purpose: 'reproduction', notOn: 'a' });

  it('is handed back by the worker that trained, however often it was tried', async () => {
    const environment = attempt({ ...scheduled(1), attempt: 5000 });
    await expect(environment.run(() => worker('a')(reproduction()))).rejects.toMatchObject({
      type: 'SameWorker',
      nonRetryable: false,
      nextRetryDelay: '500ms',
    });
  });

  it('is refused when no other worker took it for long', async () => {
    const environment = attempt(scheduled(16));
    expect(await environment.run(() => worker('a')(reproduction()))).toMatchObject({
      kind: 'refused',
      code: 'no-worker',
    });
  });

  it('is done by any other worker, whose record the first may then read', async () => {
    const done = await attempt(scheduled(16)).run(() => worker('b')(reproduction()));
    expect(done).toMatchObject({ kind: 'done', cached: false, value: { worker: 'b' } });
    const read = await attempt(scheduled(0)).run(() => worker('a')(reproduction()));
    expect(read).toMatchObject({ kind: 'done', cached: true, value: { worker: 'b' } });
  });
});
