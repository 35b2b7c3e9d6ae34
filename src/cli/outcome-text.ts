import type { Verdict } from '../core/spec/index.js';
import type { LifecycleOutcome, StageProgress } from '../workflows/contract.js';
import type { RunProgress } from './client.js';

/** One line a gate: what was estimated, how surely, against what. */
export function describeVerdict({
  gate,
  status,
  metric,
  estimate,
  interval,
  confidence,
  threshold,
  bound,
  n,
}: Verdict): string {
  const [low, high] = interval.map((bound) => bound.toFixed(3));
  return `${gate}: ${status} — ${metric} ${estimate.toFixed(3)}, ${100 * confidence} % interval [${low}, ${high}], n = ${n}, ${bound ?? 'minimum'} ${threshold}`;
}

/** How a run ended, as lines for a terminal. */
export function describeOutcome(outcome: LifecycleOutcome): readonly string[] {
  const verdicts = outcome.verdicts.map((verdict) => `  ${describeVerdict(verdict)}`);
  if (outcome.status === 'released') {
    return [
      ...verdicts,
      `Released: ${outcome.endpoint} revision ${outcome.revision}`,
      `  model     ${outcome.model}`,
      `  model.onnx ${outcome.onnx}`,
      `  snapshot  ${outcome.snapshot}`,
      `  statement ${outcome.release}`,
    ];
  }
  return [
    ...verdicts,
    `Refused at ${outcome.stage} (${outcome.code}):`,
    ...outcome.reasons.map((reason) => `  - ${reason}`),
    ...(outcome.evidence.length > 0 ? [`  evidence  ${outcome.evidence.join(', ')}`] : []),
    `  next      ${outcome.hint}`,
  ];
}

/** What a running stage reports: the share of its work that is done, 0…1, and a line for people. */
export function describeRunning(
  stage: StageProgress,
  { running }: RunProgress,
): { readonly fraction?: number; readonly detail?: string } {
  if (stage.status !== 'running' || running.length === 0) return stage.detail ? { detail: stage.detail } : {};
  const fraction = running.reduce((sum, activity) => sum + activity.fraction, 0) / running.length;
  const details = running.flatMap(({ detail, attempt }) => [
    ...(detail ? [detail] : []),
    ...(attempt > 1 && !detail ? [`attempt ${attempt}`] : []),
  ]);
  const detail = stage.detail ?? details[0];
  return { fraction, ...(detail !== undefined && { detail }) };
}
