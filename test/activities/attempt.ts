import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** One attempt of an activity, outside any worker: what it is told, what it reports, and a hand to cancel it. */
export interface Attempt {
  run<T>(activity: () => Promise<T>): Promise<T>;
  cancel(): void;
  onHeartbeat(listen: (details: unknown) => void): void;
}

export function attempt(info: Partial<Info> = {}): Attempt {
  // Failures are what is tested here; each would be logged with its stack.
  const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  return {
    run: <T>(activity: () => Promise<T>) => environment.run<[], T, () => Promise<T>>(activity),
    cancel: () => environment.cancel(),
    onHeartbeat: (listen) => void environment.on('heartbeat', listen),
  };
}
