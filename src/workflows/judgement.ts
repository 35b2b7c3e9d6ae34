import type { StageResult, Trained } from '../activities/index.js';
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
    hint: 'Two trainings from equal inputs differ: look for unpinned inputs, threads or clocks in the trainer.',
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
  const failed = blocking.some(({ status }) => status === 'fail');
  return {
    kind: 'refused',
    code: failed ? 'gate-failed' : 'gate-inconclusive',
    reasons: blocking.flatMap(({ gate, reasons }) => reasons.map((reason) => `${gate}: ${reason}`)),
    hint: failed
      ? "Read the gate's reasons; train a better model or review the threshold."
      : 'The gate lacked the power to decide: give it more samples.',
    evidence: blocking.map(({ evidence }) => evidence),
  };
}
