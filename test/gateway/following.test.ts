import { openSession } from '../../src/core/onnx/index.js';
import type { Digest } from '../../src/core/spec/index.js';
import { digestOf } from '../../src/core/store/index.js';
import { announceRevocation, attestRevocation, verifyRelease } from '../../src/core/trust/index.js';
import type { VerifyRelease } from '../../src/gateway/admission.js';
import { type ReleaseScene, releaseScene, told } from './release-scene.js';
import { sample } from './running-gateway.js';
import { signedChain, type TestModel } from './signed-chain.js';

let scene: ReleaseScene;
beforeEach(async () => {
  scene = await releaseScene();
});
afterEach(() => scene.end());

describe('a gateway that follows a ref', () => {
  it('serves a first release once it verifies, and says until then that it is not ready', async () => {
    const gateway = await scene.start();
    expect(await gateway.infer()).toMatchObject({ status: 404, body: { code: 'endpoint-unknown' } });
    const release = await scene.publish(1, 0);
    await scene.chain.point({ release: 'nonsense', revision: 1 }, 'other');
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('1:zero');
    expect(await gateway.status()).toEqual({
      endpoint: 'samples',
      alarms: [],
      live: {
        revision: 1,
        release,
        kind: 'release',
        model: (await scene.model(0)).model,
        since: '2026-01-01T00:00:00.000Z',
      },
      previous: null,
      wanted: { release, revision: 1 },
      lastRefusal: null,
      stale: null,
      seenAt: '2026-01-01T00:00:00.000Z',
    });
    expect(await gateway.infer(sample, '/v2/models/other/infer')).toMatchObject({
      status: 503,
      body: { code: 'endpoint-not-ready' },
    });
    expect((await gateway.callAdmin('/admin/endpoints/other')).body).toMatchObject({
      live: null,
      lastRefusal: { refused: 'unreadable-ref', failures: [{ code: 'pointer-invalid' }] },
    });
  });

  it('serves the endpoints it was told to, and no other', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start({ selection: ['other'] });
    expect((await gateway.infer()).status).toBe(404);
  });

  it.each<[string, (model: TestModel) => Digest]>([
    ['model', ({ onnx }) => onnx],
    ['data statement', (model) => model.chain.data],
    ['signature', (model) => model.chain.signature],
    ['test result', (model) => model.chain.tests[0]!],
    ['verification summary', (model) => model.chain.verification],
  ])('refuses a release with one changed byte in its %s, says why, and serves on', async (_name, part) => {
    await scene.chain.point({ release: await scene.chain.release(await scene.model(0), 1), revision: 1 });
    const gated = scene.gated();
    const gateway = await scene.start({ openModel: gated.openModel });
    const release = await scene.publish(2, 1);
    await scene.chain.flipByte(part(await scene.model(1)));
    await gateway.poll();
    expect(gated.opened()).toBe(1);
    expect(told(await gateway.infer())).toBe('1:zero');
    const { lastRefusal, live, wanted } = await gateway.status();
    expect({ live: live?.revision, wanted: wanted?.revision }).toEqual({ live: 1, wanted: 2 });
    expect(lastRefusal).toMatchObject({ refused: release, revision: 2, attempts: 1 });
    expect(lastRefusal!.failures.map(({ code }) => code)).toContain('blob-corrupt');
    expect(gateway.log.join('')).toContain('blob-corrupt');
  });

  it('refuses a release of another endpoint, a stranger to its policy, and a ref that lies about the revision', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start();
    const foreign = await scene.chain.release(await scene.model(1), 2, { endpoint: 'other' });
    const stranger = await signedChain();
    const strange = await scene.chain.store.putBlob(
      await stranger.store.readBlob(await stranger.release(await stranger.model(1), 2)),
    );
    await stranger.remove();
    const second = await scene.chain.release(await scene.model(1), 2);
    for (const [pointer, code] of [
      [{ release: foreign, revision: 2 }, 'endpoint-mismatch'],
      [{ release: strange, revision: 2 }, expect.any(String)],
      [{ release: second, revision: 3 }, 'pointer-mismatch'],
      [{ release: second }, 'pointer-invalid'],
    ] as const) {
      await scene.chain.point(pointer);
      await gateway.poll();
      expect(told(await gateway.infer())).toBe('1:zero');
      expect((await gateway.status()).lastRefusal?.failures[0]).toMatchObject({ code });
    }
    await scene.chain.point({ release: second, revision: 2 });
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('2:one');
  });

  it('verifies a refused release again only when the ref moves or the wait is over', async () => {
    await scene.publish(1, 0);
    const verified: Digest[] = [];
    const verify: VerifyRelease = (release, expected) => {
      verified.push(release);
      return verifyRelease(scene.chain.store, scene.chain.policy, release, expected);
    };
    const gateway = await scene.start({ verify });
    const bad = await scene.chain.release(await scene.model(1), 2, { endpoint: 'other' });
    await scene.chain.point({ release: bad, revision: 2 });
    const triesAfter = async (ms: number) => {
      gateway.advance(ms);
      verified.length = 0;
      await gateway.poll();
      await gateway.poll();
      return verified.length;
    };
    expect(await triesAfter(0)).toBe(1);
    expect(await triesAfter(1_999)).toBe(0);
    expect(await triesAfter(1)).toBe(1);
    expect(await triesAfter(3_999)).toBe(0);
    expect(await triesAfter(1)).toBe(1);
    await scene.publish(2, 1);
    expect(await triesAfter(0)).toBe(1);
    expect(told(await gateway.infer())).toBe('2:one');
  });

  it('does not load a verified model that breaks its card, and serves on', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start({
      openModel: async (onnx) => {
        const session = await openSession(onnx, { place: 'thread' });
        if (Buffer.from(onnx).equals(await scene.chain.store.readBlob((await scene.model(0)).onnx)))
          return session;
        return { ...session, run: async () => ({}) };
      },
    });
    await scene.publish(2, 1);
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('1:zero');
    expect((await gateway.status()).lastRefusal?.failures).toEqual([
      { code: 'model-unreadable', message: 'expected the output logits to be float [1, 3], got none' },
    ]);
  });

  it('follows one ref while it is still busy with another', async () => {
    await scene.publish(1, 0);
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const verify: VerifyRelease = async (release, expected) => {
      if (expected.endpoint === 'other') {
        begin();
        await finished;
      }
      return await verifyRelease(scene.chain.store, scene.chain.policy, release, expected);
    };
    const gateway = await scene.start({ verify });
    const other = await scene.chain.release(await scene.model(2), 1, { endpoint: 'other' });
    await scene.chain.point({ release: other, revision: 1 }, 'other');
    const busy = gateway.poll();
    await begun;
    await scene.publish(2, 1);
    const polled = gateway.poll();
    while (told(await gateway.infer()) !== '2:one');
    finish();
    await Promise.all([busy, polled]);
    expect(told(await gateway.infer(sample, '/v2/models/other/infer'))).toBe('1:two');
  });

  it('serves nothing that came of revoked data any more, once the revocation is announced', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start();
    const { store, signer } = scene.chain;
    const revoke = async (data: string) => {
      const why = { person: 'ada', reason: 'poisoned' };
      const revocation = await attestRevocation(store, signer, digestOf(data), why, new Date());
      await announceRevocation(store, revocation);
      await gateway.poll();
    };
    await revoke('other data');
    expect(told(await gateway.infer())).toBe('1:zero');
    await revoke('source');
    expect(await gateway.infer()).toMatchObject({ status: 503, body: { code: 'endpoint-not-ready' } });
    const { live, lastRefusal } = await gateway.status();
    expect(live).toBeNull();
    expect(lastRefusal?.failures).toMatchObject([{ link: 'data', code: 'revoked' }]);
    await gateway.poll();
    expect((await gateway.infer()).status).toBe(503);
  });
});
