import { createDevices } from '../../src/workers/devices.js';

describe('the devices of a worker', () => {
  it('are used by one task each, in the order in which tasks came', async () => {
    const { count, withDevice } = createDevices(['0', '1']);
    const taken: (string | undefined)[] = [];
    const ends: (() => void)[] = [];
    const task = () =>
      withDevice((device) => {
        taken.push(device);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    const tasks = [task(), task(), task(), task()];
    await tick();
    expect(count).toBe(2);
    expect(taken).toEqual(['0', '1']);

    ends[1]!();
    await tasks[1];
    await tick();
    expect(taken).toEqual(['0', '1', '1']);
    ends[0]!();
    await tasks[0];
    await tick();
    expect(taken).toEqual(['0', '1', '1', '0']);
    for (const end of ends) end();
    await Promise.all(tasks);
  });

  it('are given back by a task that fails', async () => {
    const { withDevice } = createDevices(['0']);
    await expect(withDevice(() => Promise.reject(new Error('out of memory')))).rejects.toThrow(
      'out of memory',
    );
    expect(await withDevice(async (device) => device)).toBe('0');
  });

  it('are none on a CPU worker, where tasks wait for nothing', async () => {
    const { count, withDevice } = createDevices([]);
    expect(count).toBe(0);
    const both = await Promise.all([1, 2].map(() => withDevice(async (device) => device)));
    expect(both).toEqual([undefined, undefined]);
  });
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
