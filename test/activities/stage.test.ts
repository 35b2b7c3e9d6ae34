import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ApplicationFailure } from '@temporalio/activity';
import { z } from 'zod';
import { runOnce, runStage, type Stage } from '../../src/activities/stage.js';
import { RefusedError, TransientError } from '../../src/core/errors/index.js';
import { openStore, type Store } from '../../src/core/store/index.js';
import { attempt } from './attempt.js';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stage-'));
  store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
});
afterEach(() => rm(folder, { recursive: true }));

const stage: Stage<{ readonly by: string }> = {
  name: 'count',
  version: 1,
  outcome: z.strictObject({ by: z.string() }),
};
/** One attempt of the stage, by somebody. */
const count = (by: string, inputs: unknown = { of: 'sheep' }, of = stage) =>
  attempt().run(() => runStage(store, of, inputs, async () => ({ by })));
const failing = (error: Error, number = 1) =>
  attempt({ attempt: number }).run(() => runStage(store, stage, {}, () => Promise.reject(error)));

describe('a recorded stage', () => {
  it('does equal work once, and says when it did none', async () => {
    expect(await count('first')).toEqual({ kind: 'done', value: { by: 'first' }, cached: false });
    expect(await count('second')).toEqual({ kind: 'done', value: { by: 'first' }, cached: true });
  });

  it('does it again for other inputs, another stage and another version of the stage', async () => {
    await count('first');
    expect(await count('second', { of: 'goats' })).toMatchObject({ cached: false });
    expect(await count('third', undefined, { ...stage, name: 'weigh' })).toMatchObject({ cached: false });
    expect(await count('fourth', undefined, { ...stage, version: 2 })).toMatchObject({ cached: false });
  });

  it('hands everyone the outcome of whoever was first to end', async () => {
    let letGo = (): void => undefined;
    const slow = attempt().run(() =>
      runStage(
        store,
        stage,
        { of: 'sheep' },
        () =>
          new Promise<{ by: string }>((resolve) => {
            letGo = () => resolve({ by: 'slow' });
          }),
      ),
    );
    await count('fast');
    letGo();
    expect(await slow).toEqual({ kind: 'done', value: { by: 'fast' }, cached: false });
  });

  it('refuses a planted outcome of another shape, and hands none of it on', async () => {
    // The loose twin of the stage has the same key.
    await count('intruder', undefined, {
      ...stage,
      outcome: z.any().transform((value) => value),
    });
    const strict: Stage<{ readonly by: string }> = {
      ...stage,
      outcome: z.strictObject({ by: z.string().refine((by) => by !== 'intruder', 'not by an intruder') }),
    };
    expect(await count('second', undefined, strict)).toMatchObject({
      kind: 'refused',
      code: 'record-corrupt',
      reasons: [expect.stringContaining('an outcome of count'), 'by: not by an intruder'],
    });
  });

  it('hands a refusal on with every reason, and records none', async () => {
    const refusal = new RefusedError('data-refused', 'two bad rows', ['row 1', 'row 2']);
    expect(await failing(refusal)).toEqual({
      kind: 'refused',
      code: 'data-refused',
      reasons: ['two bad rows', 'row 1', 'row 2'],
      hint: refusal.hint,
      evidence: [],
    });
    expect(await count('second', {})).toMatchObject({ kind: 'done', cached: false });
  });
});

describe('an error of a stage', () => {
  it('is tried again without end when it is a passing fault', async () => {
    await expect(failing(new TransientError('disk full'), 1000)).rejects.toBeInstanceOf(TransientError);
  });

  it('becomes a refusal when it is the kind of fault that does not pass', async () => {
    const crash = new TransientError('exit code 1', { giveUp: { attempts: 3, code: 'training-refused' } });
    await expect(failing(crash, 2)).rejects.toBe(crash);
    expect(await failing(crash, 3)).toMatchObject({
      kind: 'refused',
      code: 'training-refused',
      reasons: ['exit code 1 (tried 3 times)'],
    });
  });

  it('is tried five times when nobody classified it', async () => {
    const bug = new TypeError('undefined is not a function');
    await expect(failing(bug, 4)).rejects.toBe(bug);
    const last = await failing(bug, 5).catch((error: unknown) => error);
    expect(last).toBeInstanceOf(ApplicationFailure);
    expect(last).toMatchObject({ nonRetryable: true, message: bug.message });
  });

  it('gives way to the cancellation that caused it', async () => {
    const environment = attempt();
    const cancelled = environment.run(() =>
      runOnce(async () => {
        environment.cancel();
        throw new Error('killed the program');
      }),
    );
    await expect(cancelled).rejects.toMatchObject({ name: 'CancelledFailure' });
  });
});

describe('the heartbeat of a stage', () => {
  const beatsOf = async (
    heartbeatDetails: unknown,
    ...reports: { readonly fraction: number; readonly checkpoint?: `sha256:${string}` }[]
  ) => {
    const beats: unknown[] = [];
    const environment = attempt({ heartbeatDetails });
    environment.onHeartbeat((beat) => beats.push(beat));
    await environment.run(() =>
      runStage(store, stage, {}, async (report) => {
        for (const each of reports) report(each);
        return { by: 'it' };
      }),
    );
    return beats;
  };
  const checkpoint = `sha256:${'c'.repeat(64)}` as const;

  it('begins with what the attempt before had reported, so that no resume point is lost on the way', async () => {
    const before = { fraction: 0.4, checkpoint };
    expect(await beatsOf(before)).toEqual([before]);
  });

  it('keeps the newest checkpoint when a report names none', async () => {
    const newer = `sha256:${'d'.repeat(64)}` as const;
    const beats = await beatsOf(
      { fraction: 0, checkpoint },
      { fraction: 0.1 },
      { fraction: 0.2, checkpoint: newer },
      { fraction: 0.3 },
    );
    expect(beats.slice(1)).toEqual([
      { fraction: 0.1, checkpoint },
      { fraction: 0.2, checkpoint: newer },
      { fraction: 0.3, checkpoint: newer },
    ]);
  });
});
