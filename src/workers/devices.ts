/** The accelerators of one worker, each used by one task at a time. */
export interface Devices {
  readonly count: number;
  /** Waits for a free device, and gives it back when `use` ends, whatever happens. */
  withDevice<T>(use: (device: string | undefined) => Promise<T>): Promise<T>;
}

/**
 * @param names - what `CUDA_VISIBLE_DEVICES` takes, such as `['0', '1']`; none for a CPU worker, which runs tasks
 *   without a device
 */
export function createDevices(names: readonly string[]): Devices {
  if (names.length === 0) return { count: 0, withDevice: (use) => use(undefined) };
  const free = [...names];
  const waiting: ((device: string) => void)[] = [];
  const take = () => {
    const device = free.shift();
    return device !== undefined
      ? Promise.resolve(device)
      : new Promise<string>((resolve) => waiting.push(resolve));
  };
  const giveBack = (device: string) => {
    const next = waiting.shift();
    if (next) next(device);
    else free.push(device);
  };
  return {
    count: names.length,
    async withDevice(use) {
      const device = await take();
      try {
        return await use(device);
      } finally {
        giveBack(device);
      }
    },
  };
}
