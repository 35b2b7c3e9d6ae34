import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';
import { TransientError } from '../../core/errors/index.js';
import { searchAttributes } from '../../workflows/contract.js';

const patienceMs = 30_000;

/**
 * Makes a namespace know the search attributes that the workflows set, and waits until its front end does. What exists
 * already stays. The dev server's own flag is no substitute: it adds nothing to a database that exists.
 * @throws the server's error where the caller may not register any, as on Temporal Cloud
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService, workflowService } = connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(({ name }) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(
      missing.map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)!]),
    ),
  });
  const query = missing.map(({ name }) => `${name} = 'none'`).join(' OR ');
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      await workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new TransientError(`namespace ${namespace} does not know its new search attributes`, { cause });
      }
      await sleep(50);
    }
  }
}
