import type { Progress } from './attack-bench.js';
import type { EvasionRow } from './evasion-row.js';
import type { Resumption } from './gate.js';

/** A part of a measurement: rows in, the same rows with more known of them out. */
export interface Step {
  /** Share of the work. */
  readonly weight: number;
  run(rows: readonly EvasionRow[], progress: Progress): Promise<readonly EvasionRow[]>;
}

/** One step after the other, without those that were taken before an interruption. */
export async function takeSteps(
  steps: readonly Step[],
  onProgress: Progress | undefined,
  resumption: Resumption<EvasionRow> | undefined,
): Promise<readonly EvasionRow[]> {
  const stages = progressOver(
    onProgress,
    steps.map(({ weight }) => weight),
  );
  const taken = resumption?.from?.steps ?? 0;
  let rows = resumption?.from?.rows ?? [];
  for (const [i, step] of steps.entries()) {
    const progress = stages();
    if (i < taken) continue;
    rows = await step.run(rows, progress);
    if (i + 1 < steps.length) await resumption?.keep({ steps: i + 1, rows });
  }
  return rows;
}

/** Hands out the parts of a progress, one after the other, by weight. */
export function progressOver(onProgress: Progress | undefined, weights: readonly number[]): () => Progress {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let next = 0;
  return () => {
    const before = weights.slice(0, next).reduce((sum, weight) => sum + weight, 0);
    const weight = weights[next++]!;
    return (fraction) => onProgress?.((before + weight * fraction) / total);
  };
}
