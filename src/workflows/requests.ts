import { ApplicationFailure, currentUpdateInfo, workflowInfo } from '@temporalio/workflow';
import type { GrantedRequest, RequestCheck, StageRefusal, StageResult } from '../activities/index.js';
import { admission, signing } from './stages.js';

type Asked = Omit<RequestCheck, 'at' | 'claim'>;

/**
 * Asks a control worker whether somebody may have what they ask. This is where roles are checked: validators run before
 * anything is recorded and cannot wait for an answer, so they look at the shape alone. Whoever calls this changes nothing
 * before it is done.
 */
export async function checkRequest(asked: Asked): Promise<StageResult<GrantedRequest>> {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const at = new Date().toISOString();
  const claim = `${workflowId}/${firstExecutionRunId}/${currentUpdateInfo()?.id ?? 'start'}`;
  const result = await admission.checkRequest({ ...asked, at, claim });
  if (result.kind === 'refused') {
    await signing.logEvent({
      decision: 'refused',
      endpoint: asked.endpoint,
      by: 'signed' in asked.asked ? 'unknown' : `unauthenticated (${asked.asked.by})`,
      reason: `${asked.actions.join(' or ')}: ${result.code}: ${result.reasons[0] ?? ''}`.slice(0, 2000),
      at,
    });
  }
  return result;
}

/** The same for updates: whoever sent it is told why not. */
export async function grant(asked: Asked): Promise<GrantedRequest> {
  return orRefuse(await checkRequest(asked));
}

/** The value of a result, or its refusal as the failure of an update. */
export function orRefuse<T>(result: StageResult<T>): T {
  if (result.kind === 'refused') throw refusal(result);
  return result.value;
}

export function refusal(result: StageRefusal): ApplicationFailure {
  return ApplicationFailure.nonRetryable(result.reasons.join('\n'), result.code, result);
}
