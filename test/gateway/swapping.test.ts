import { type ReleaseScene, releaseScene, told } from './release-scene.js';
import { classes } from './signed-chain.js';

let scene: ReleaseScene;
beforeEach(async () => {
  scene = await releaseScene();
});
afterEach(() => scene.end());

describe('a swap', () => {
  it('under concurrent load drops no request, and every answer comes from the model of its revision', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start();
    const answers: string[] = [];
    let stop = false;
    const clients = Array.from({ length: 4 }, async () => {
      while (!stop) answers.push(told(await gateway.infer()));
    });
    const served = ['1:zero'];
    try {
      for (let revision = 2; revision <= 5; revision += 1) {
        const answer = (revision - 1) % 3;
        await scene.publish(revision, answer);
        await gateway.poll();
        expect((await gateway.status()).lastRefusal).toBeNull();
        served.push(`${revision}:${classes[answer]}`);
        expect(told(await gateway.infer())).toBe(served.at(-1));
      }
    } finally {
      stop = true;
      await Promise.all(clients);
    }
    expect(answers.length).toBeGreaterThan(5);
    expect(answers.filter((answer) => !served.includes(answer))).toEqual([]);
  });

  it('lets requests in flight end on the model they began on, then closes what is not kept warm', async () => {
    const gated = scene.gated();
    const gateway = await scene.start({ openModel: gated.openModel });
    await scene.publish(1, 0);
    await gateway.poll();
    const held = gated.hold(1, 1);
    const slow = gateway.infer();
    await held.waiting;
    await scene.publish(2, 1);
    await gateway.poll();
    await scene.publish(3, 2);
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('3:two');
    expect(gated.closed).toEqual([]);
    held.letGo();
    expect(told(await slow)).toBe('1:zero');
    expect(gated.closed).toEqual([1]);
  });

  it('back to the model before needs no loading: it is still warm', async () => {
    const gated = scene.gated();
    const gateway = await scene.start({ openModel: gated.openModel });
    await scene.publish(1, 0);
    await gateway.poll();
    await scene.publish(2, 1);
    await gateway.poll();
    await scene.publish(3, 0, 'rollback');
    await gateway.poll();
    expect(told(await gateway.infer())).toBe('3:zero');
    expect(gated.opened()).toBe(2);
    const { live, previous } = await gateway.status();
    expect(live).toMatchObject({ revision: 3, kind: 'rollback', model: (await scene.model(0)).model });
    expect(previous).toMatchObject({ revision: 2, model: (await scene.model(1)).model });
  });

  it('does not wait for a process that ends: what is in flight is answered before it closes', async () => {
    const gated = scene.gated();
    await scene.publish(1, 0);
    const gateway = await scene.start({ openModel: gated.openModel });
    const held = gated.hold(1, 1);
    const slow = gateway.infer();
    await held.waiting;
    const drained = gateway.drain();
    held.letGo();
    expect(told(await slow)).toBe('1:zero');
    await drained;
    expect(gated.closed).toEqual([1]);
    await expect(gateway.call('/v2')).rejects.toThrow();
  });
});
