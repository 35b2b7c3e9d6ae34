import type { WorkflowInterceptors } from '@temporalio/workflow';

interface Activator {
  mutateWorkflowInfo(change: (info: object) => object): void;
}

/**
 * Bundled with the workflows under test, so that they need no patience: whoever waits for a worker waits two seconds at
 * most, and an update whose reason is `continue as new` makes the server's suggestion come at once.
 */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const { scheduleToStartTimeout, ...options } = input.options;
        if (scheduleToStartTimeout === undefined) return next(input);
        return next({ ...input, options: { ...options, scheduleToStartTimeout: '2s' } });
      },
    },
  ],
  inbound: [
    {
      async handleUpdate(input, next) {
        const result = await next(input);
        const [{ reason }] = input.args as [{ reason?: string }];
        if (reason === 'continue as new') {
          const { __TEMPORAL_ACTIVATOR__: activator } = globalThis as unknown as {
            __TEMPORAL_ACTIVATOR__: Activator;
          };
          activator.mutateWorkflowInfo((info) => ({ ...info, continueAsNewSuggested: true }));
        }
        return result;
      },
    },
  ],
});
