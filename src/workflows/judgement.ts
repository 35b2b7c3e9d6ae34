import type { StageResult, Trained } from '../activities/index.js';
import { errorTable } from '../core/errors/index.js';
import type { Verdict } from '../core/spec/index.js';

/** Two trainings from equal inputs must give equal bytes; the second is handed on, or the pair is refused. */
export function compareTrainings(first: Trained, second: StageResult<Trained>): StageResult<Trained> {
  if (second.kind === 'refused' || second.value.record.model === first.record.model) return second;
  return {
    kind: 'refused',
    code: 'irreproducible',
    reasons: [
      `Expected model ${first.record.model}, as ${first.worker} trained it, got ${second.value.record.model} from ${second.value.worker}.`,
    ],
    hint: errorTable.irreproducible.hint,
    evidence: [first.record.environment, second.value.record.environment],
  };
}

/**
 * Lets a model on only if every gate passed; a failed or inconclusive one refuses it, and all of them are named.
 *
 * @param shown - receives the verdicts, passed or not, for the run's progress
 */
export function judge(
  results: readonly StageResult<Verdict>[],
  shown: Verdict[],
): StageResult<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const result of results) {
    if (result.kind === 'refused') return result;
    verdicts.push(result.value);
  }
  shown.push(...verdicts);
  const blocking = verdicts.filter(({ status }) => status !== 'pass');
  if (blocking.length === 0) {
    return {
      kind: 'done',
      value: verdicts,
      cached: results.every((result) => result.kind === 'done' && result.cached),
    };
  }
  const code = blocking.some(({ status }) => status === 'fail') ? 'gate-failed' : 'gate-inconclusive';
  return {
    kind: 'refused',
    code,
    reasons: blocking.flatMap(({ gate, reasons }) => reasons.map((reason) => `${gate}: ${reason}`)),
    hint: errorTable[code].hint,
    evidence: blocking.map(({ evidence }) => evidence),
  };
}
