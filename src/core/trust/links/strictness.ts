import type { EvasionGateSpec, GateSpec } from '../../spec/index.js';

/**
 * Compares a gate that was run with one that is required, and says in how far it asked for less.
 *
 * @param rows - test rows of the snapshot: no gate can use more samples than there are
 * @returns one sentence a shortfall; none when the gate is at least as strict
 */
export function shortfalls(run: GateSpec, required: GateSpec, rows: number): readonly string[] {
  if (run.gate !== required.gate) return [`expected a gate of kind ${required.gate}, got ${run.gate}`];
  const found: string[] = [];
  const atLeast = (what: string, wanted: number, got: number | undefined) => {
    if (got === undefined || got < wanted)
      found.push(`expected ${what} of at least ${wanted}, got ${got ?? 'none'}`);
  };
  atLeast('a minimum', required.minimum, run.minimum);
  atLeast('a confidence', required.confidence, run.confidence);
  if (required.gate === 'accuracy' && run.gate === 'accuracy' && required.minimumPerClass !== undefined) {
    atLeast('a minimum per class', required.minimumPerClass, run.minimumPerClass);
  }
  if (required.gate === 'evasion' && run.gate === 'evasion') {
    atLeast('an epsilon', required.epsilon, run.epsilon);
    atLeast('samples', Math.min(required.samples, rows), run.samples);
    atLeast('PGD steps', required.pgd.steps, run.pgd.steps);
    atLeast('PGD restarts', required.pgd.restarts, run.pgd.restarts);
    atLeast('APGD steps', required.apgd.steps, run.apgd.steps);
    atLeast('APGD restarts', required.apgd.restarts, run.apgd.restarts);
    atLeast('Square queries', required.square.queries, run.square.queries);
    if (!sameStepSize(run, required)) {
      found.push(
        `expected a PGD step size of ${required.pgd.stepSize ?? 'the default'}, got ${run.pgd.stepSize ?? 'the default'}`,
      );
    }
  }
  return found;
}

/** Neither a larger nor a smaller step is the stricter one; a tiny one would leave the attack where it began. */
function sameStepSize(run: EvasionGateSpec, required: EvasionGateSpec): boolean {
  return run.pgd.stepSize === required.pgd.stepSize;
}
