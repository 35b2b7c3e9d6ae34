import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyRelease } from '../../src/core/trust/index.js';
import { defaultLimits } from '../../src/gateway/gateway.js';
import { marksInFile, marksInMemory } from '../../src/gateway/revision-marks.js';
import { field } from '../core/onnx/scan/protobuf.js';
import { type ReleaseScene, releaseScene, told } from './release-scene.js';

let scene: ReleaseScene;
beforeEach(async () => {
  scene = await releaseScene();
});
afterEach(() => scene.end());

describe('trouble around a gateway', () => {
  it('loads no model in which a scan finds an error, whoever signed it', async () => {
    const release = await scene.publish(1, 0);
    const script = field(14, [field(1, 'note'), field(2, '#!/bin/sh')]);
    const gated = scene.gated();
    const gateway = await scene.start({
      openModel: gated.openModel,
      verify: async (digest, expected) => {
        const verification = await verifyRelease(scene.chain.store, scene.chain.policy, digest, expected);
        if (!verification.ok) return verification;
        const onnx = Buffer.concat([verification.verified.onnx, script]);
        return { ...verification, verified: { ...verification.verified, onnx } };
      },
    });
    expect((await gateway.infer()).status).toBe(503);
    expect(gated.opened()).toBe(0);
    expect((await gateway.status()).lastRefusal).toMatchObject({
      refused: release,
      failures: [{ code: 'model-unsafe' }],
    });
  });

  it('that loses its store for a while serves on, says so, and follows again when it is back', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start();
    const away = `${scene.chain.folder}-away`;
    await rename(scene.chain.folder, away);
    gateway.advance(1_000);
    await gateway.poll();
    gateway.advance(1_000);
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('1:zero');
    expect((await gateway.call('/v2/health/ready')).status).toBe(200);
    expect(await gateway.status()).toMatchObject({
      live: { revision: 1 },
      stale: { since: '2026-01-01T00:00:01.000Z' },
      seenAt: '2026-01-01T00:00:00.000Z',
    });
    await rm(scene.chain.folder, { recursive: true, force: true });
    await rename(away, scene.chain.folder);
    await scene.publish(2, 1);
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('2:one');
    expect((await gateway.status()).stale).toBeNull();
  });

  it('that restarts it never makes it serve an older revision', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gateway-state-'));
    const file = path.join(folder, 'state.json');
    const first = await scene.publish(1, 0);
    const second = await scene.publish(2, 1);
    const before = await scene.start({ marks: await marksInFile(file) });
    expect(told(await before.infer())).toBe('2:one');
    await before.drain();

    const again = await scene.start({ marks: await marksInFile(file) });
    expect(told(await again.infer())).toBe('2:one');
    await again.drain();

    await scene.chain.point({ release: first, revision: 1 });
    const attacked = await scene.start({ marks: await marksInFile(file) });
    expect(told(await attacked.infer())).toBe('2:one');
    expect((await attacked.status()).lastRefusal).toMatchObject({
      refused: first,
      failures: [{ code: 'revision-downgraded' }],
    });
    // Two statements may not share a number either.
    const twin = await scene.chain.release(await scene.model(2), 2);
    await scene.chain.point({ release: twin, revision: 2 });
    await attacked.poll();
    expect(told(await attacked.infer())).toBe('2:one');
    await scene.chain.point({ release: second, revision: 2 });
    await attacked.poll();
    expect(told(await attacked.infer())).toBe('2:one');
    await rm(folder, { recursive: true });
  });

  it('that fills its disk keeps it from a revision it could not remember', async () => {
    let full = false;
    const gateway = await scene.start({
      marks: marksInMemory({}, async () => {
        if (full) throw new Error('no space left');
      }),
    });
    await scene.publish(1, 0);
    await gateway.poll();
    full = true;
    await scene.publish(2, 1);
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('1:zero');
    full = false;
    gateway.advance(2_000);
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('2:one');
  });

  it('that floods a model gets 503 for what is over the limit, and the rest is answered', async () => {
    const gated = scene.gated();
    await scene.publish(1, 0);
    const gateway = await scene.start({
      limits: { ...defaultLimits, runner: { waiting: 1, waitMs: 60_000, batch: 1 } },
      openModel: gated.openModel,
    });
    const held = gated.hold(1, 4);
    const running = [1, 2, 3, 4].map(() => gateway.infer());
    await held.waiting;
    const others = [gateway.infer(), gateway.infer()];
    const refused = await Promise.race(others);
    expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    held.letGo();
    const answers = await Promise.all([...running, ...others]);
    const answered = answers.filter(({ status }) => status === 200);
    expect(answered.map(told)).toEqual(Array(5).fill('1:zero'));
  });

  it('that kills a session gets the release verified and opened again', async () => {
    const gated = scene.gated();
    let kill = false;
    await scene.publish(1, 0);
    const gateway = await scene.start({
      openModel: async (onnx) => {
        const session = await gated.openModel(onnx);
        return {
          ...session,
          async run(feeds) {
            if (kill) await session.close();
            return await session.run(feeds);
          },
        };
      },
    });
    kill = true;
    expect(await gateway.infer()).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    kill = false;
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('1:zero');
    expect(gated.opened()).toBe(2);
  });
});
