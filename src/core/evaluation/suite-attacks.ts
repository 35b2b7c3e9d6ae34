import {
  type Attack,
  type AttackContext,
  type AttackResult,
  attacks,
  type Classifier,
  patchAttacks,
  type Samples,
  type ThreatModel,
} from '../attacks/index.js';
import { type AttackSpec, type SuiteAttackName, suiteOrder } from '../spec/index.js';

/**
 * What an attack has to go on. White-box attacks take many steps along gradients, and are the measure: what one step, or
 * an attack that knows less, breaks beyond them shows that their gradients mislead. A universal attack has one change for all
 * samples.
 */
export type Knowledge = 'one-step' | 'universal' | 'white-box' | 'transfer' | 'black-box';

interface SuiteAttack<Name extends SuiteAttackName> {
  readonly knowledge: Knowledge;
  /** Follows gradients where there are some, and does without where not. */
  readonly blind?: true;
  /** The attack with a specification's options. */
  run(
    spec: Extract<AttackSpec, { attack: Name }>,
    classifier: Classifier,
    samples: Samples,
    threat: ThreatModel,
    context: AttackContext,
  ): Promise<AttackResult>;
}

type Bench = readonly [Classifier, Samples, ThreatModel, AttackContext];

/** Every attack that a suite may hold: to add one is to add a row here and in the specification of suites. */
export const suiteAttacks: { readonly [Name in SuiteAttackName]: SuiteAttack<Name> } = {
  fgsm: { knowledge: 'one-step', run: (_spec, ...bench) => run(attacks.fgsm, {}, bench) },
  pgd: {
    knowledge: 'white-box',
    run: ({ steps, restarts, stepSize, momentum, targets }, ...bench) => {
      const [, , { epsilon }] = bench;
      const options = {
        steps,
        restarts,
        stepSize: stepSize ?? (2.5 * epsilon) / steps,
        ...(momentum !== undefined && { momentum }),
        ...(targets !== undefined && { targets }),
      };
      return run(attacks.pgd, options, bench);
    },
  },
  'apgd-ce': { knowledge: 'white-box', run: (spec, ...bench) => run(attacks['apgd-ce'], spec, bench) },
  'apgd-dlr': { knowledge: 'white-box', run: (spec, ...bench) => run(attacks['apgd-dlr'], spec, bench) },
  'apgd-t': { knowledge: 'white-box', run: (spec, ...bench) => run(attacks['apgd-t'], spec, bench) },
  fab: { knowledge: 'white-box', run: (spec, ...bench) => run(attacks.fab, spec, bench) },
  'fab-t': { knowledge: 'white-box', run: (spec, ...bench) => run(attacks['fab-t'], spec, bench) },
  coordinate: {
    knowledge: 'white-box',
    blind: true,
    run: (spec, ...bench) => run(attacks.coordinate, spec, bench),
  },
  transfer: { knowledge: 'transfer', run: (spec, ...bench) => run(attacks.transfer, spec, bench) },
  square: { knowledge: 'black-box', run: (spec, ...bench) => run(attacks.square, spec, bench) },
  'hop-skip-jump': {
    knowledge: 'black-box',
    run: (spec, ...bench) => run(attacks['hop-skip-jump'], spec, bench),
  },
  sticker: { knowledge: 'universal', run: (spec, ...bench) => run(patchAttacks.sticker, spec, bench) },
  patch: { knowledge: 'white-box', run: (spec, ...bench) => run(patchAttacks.patch, spec, bench) },
  'patch-search': {
    knowledge: 'black-box',
    run: (spec, ...bench) => run(patchAttacks['patch-search'], spec, bench),
  },
};

function run<Options>(
  attack: Attack<Options>,
  options: Options,
  [classifier, samples, threat, context]: Bench,
): Promise<AttackResult> {
  return attack.run(classifier, samples, threat, options, context);
}

/** Runs the attack that a specification names. */
export function runAttack(spec: AttackSpec, ...bench: Bench): Promise<AttackResult> {
  const { run: runSpec } = suiteAttacks[spec.attack] as SuiteAttack<typeof spec.attack>;
  return runSpec(spec as never, ...bench);
}

/** The attacks among some that know as much. */
export function withKnowledge(
  names: readonly SuiteAttackName[],
  ...knowledge: readonly Knowledge[]
): readonly SuiteAttackName[] {
  return names.filter((name) => knowledge.includes(suiteAttacks[name].knowledge));
}

/**
 * The attacks whose successes an attack leaves alone. White-box attacks spare what white-box attacks before them broke, and
 * attack what one step broke, to see whether many steps do what one step does. Attacks that know less are run on what no
 * gradient broke. One step, and one change for all, are tried on everything.
 */
export function sparedBy(name: SuiteAttackName): readonly SuiteAttackName[] {
  switch (suiteAttacks[name].knowledge) {
    case 'one-step':
    case 'universal':
      return [];
    case 'white-box':
      return withKnowledge(suiteOrder.slice(0, suiteOrder.indexOf(name)), 'white-box');
    case 'transfer':
    case 'black-box':
      return withKnowledge(suiteOrder, 'one-step', 'universal', 'white-box');
  }
}

/** What of a suite makes sense: without gradients nothing that follows them, without a parent nothing through it. */
export function applicable(
  suite: readonly AttackSpec[],
  { gradients, parent }: { readonly gradients: boolean; readonly parent: boolean },
): readonly AttackSpec[] {
  const needed = {
    'one-step': gradients,
    universal: gradients,
    'white-box': gradients,
    transfer: parent,
    'black-box': true,
  };
  return suite.filter(({ attack }) => {
    const { knowledge, blind } = suiteAttacks[attack] as SuiteAttack<SuiteAttackName>;
    return blind || needed[knowledge];
  });
}
