import { type AttackSpec, type EvasionGateSpec, type GateSpec, suiteOf } from '../../spec/index.js';

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
  if (required.gate !== 'extraction' && run.gate !== 'extraction') {
    atLeast('a minimum', required.minimum, run.minimum);
  }
  atLeast('a confidence', required.confidence, run.confidence);
  if (required.gate === 'accuracy' && run.gate === 'accuracy' && required.minimumPerClass !== undefined) {
    atLeast('a minimum per class', required.minimumPerClass, run.minimumPerClass);
  }
  if (required.gate === 'evasion' && run.gate === 'evasion') {
    atLeast('an epsilon', required.epsilon, run.epsilon);
    atLeast('samples', Math.min(required.samples, rows), run.samples);
    if (run.earlyStop && !required.earlyStop) found.push('expected all samples, got an early stop');
    found.push(...smallerPatch(run.patch, required.patch));
    if (run.norm !== required.norm) found.push(`expected the norm ${required.norm}, got ${run.norm}`);
    const believed = (run.respects ?? []).filter((limit) => !required.respects?.includes(limit));
    if (believed.length > 0)
      found.push(`expected an adversary who need not respect ${believed.join(' and ')}, got one who does`);
    // Without it a randomised model does not pass, and another is measured alike.
    if (run.randomised) {
      const [wanted, got] = [required.randomised, run.randomised];
      if (!wanted) found.push('expected one answer a request to count, got most of several');
      else {
        atLeast('draws', wanted.draws, got.draws);
        atLeast('answers', wanted.answers, got.answers);
      }
    }
    found.push(...weakerAttacks(suiteOf(run), suiteOf({ ...required, respects: run.respects })));
  }
  if (required.gate === 'certified' && run.gate === 'certified') {
    atLeast('an epsilon', required.epsilon, run.epsilon);
    atLeast('samples', Math.min(required.samples, rows), run.samples);
    for (const name of ['norm', 'method'] as const) {
      if (run[name] !== required[name])
        found.push(`expected the ${name} ${required[name]}, got ${run[name]}`);
    }
    // How much noise, and how many copies of a sample: whatever reaches the radius is a proof, at this level of doubt.
    const [least, alpha] = [required.smoothing?.alpha, run.smoothing?.alpha];
    if (least !== undefined && !(alpha !== undefined && alpha <= least)) {
      found.push(`expected an alpha of at most ${least}, got ${alpha ?? 'none'}`);
    }
  }
  if (required.gate === 'certified-poisoning' && run.gate === 'certified-poisoning') {
    atLeast('a radius', required.radius, run.radius);
    atLeast('samples', Math.min(required.samples, rows), run.samples);
  }
  if (required.gate === 'extraction' && run.gate === 'extraction') {
    atLeast('queries', required.queries, run.queries);
    atLeast('samples', Math.min(required.samples, rows), run.samples);
    if (run.maximum > required.maximum)
      found.push(`expected a maximum of at most ${required.maximum}, got ${run.maximum}`);
    // What the scope is told is held against what is served: see `missesWhatIsServed`.
    if (run.scope !== required.scope)
      found.push(`expected a thief of the scope ${required.scope}, got one of ${run.scope}`);
  }
  return found;
}

/** An adversary with a patch and one without are two: neither is the stronger. */
function smallerPatch(run: EvasionGateSpec['patch'], required: EvasionGateSpec['patch']): readonly string[] {
  if (!run || !required) {
    const named = (patch: unknown) => (patch ? 'one with a patch' : 'one without a patch');
    return run === required ? [] : [`expected ${named(required)} for an adversary, got ${named(run)}`];
  }
  return run.height >= required.height && run.width >= required.width
    ? []
    : [
        `expected a patch of at least ${required.height} × ${required.width}, got ${run.height} × ${run.width}`,
      ];
}

/**
 * Options of which neither more nor less is the stricter: a tiny step would leave the attack where it began, and a target
 * or a momentum makes it another attack.
 */
const neitherStricter: ReadonlySet<string> = new Set(['stepSize', 'momentum']);

/** Every attack that is required must be run, with no fewer steps, restarts or queries. */
function weakerAttacks(run: readonly AttackSpec[], required: readonly AttackSpec[]): readonly string[] {
  return required.flatMap((wanted) => {
    const got = run.find(({ attack }) => attack === wanted.attack);
    if (got === undefined) return [`expected the attack ${wanted.attack}, got none`];
    const options = new Set([...Object.keys(wanted), ...Object.keys(got)]);
    return [...options].flatMap((option) => {
      const [least, value] = [wanted, got].map((spec) => (spec as Record<string, unknown>)[option]);
      const enough =
        !neitherStricter.has(option) && typeof least === 'number' && typeof value === 'number'
          ? value >= least
          : value === least;
      return enough
        ? []
        : [
            `expected ${wanted.attack} with ${option} ${least ?? 'by default'}, got ${value ?? 'the default'}`,
          ];
    });
  });
}
