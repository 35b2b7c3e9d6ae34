import type { AdversarialSpec } from '../../../spec/index.js';
import type { StepGraph } from '../graphs.js';
import type { Problem } from '../problem.js';
import { fgsmRs } from './fgsm-rs.js';
import { gaussian } from './gaussian.js';
import { gradientPenalty } from './gradient-penalty.js';
import { ibp } from './ibp.js';
import type { Preparation, SpecOf, TrainingMethod } from './method.js';
import { pgd } from './pgd.js';
import { plain } from './plain.js';
import { trades } from './trades.js';

const methods: { readonly [Method in AdversarialSpec['method']]: TrainingMethod<SpecOf<Method>> } = {
  'fgsm-rs': fgsmRs,
  gaussian,
  'gradient-penalty': gradientPenalty,
  ibp,
  pgd,
  trades,
};

/** A method and the parameters it was chosen with. */
export interface ChosenMethod {
  addLoss(step: StepGraph): string;
  prepare(problem: Problem): Promise<Preparation>;
}

/** The method that a training's parameters ask for; plain training when they ask for none. */
export function chosenMethod(spec: AdversarialSpec | undefined): ChosenMethod {
  return spec === undefined ? withSpec(plain, undefined) : ofKind(spec.method, spec);
}

function ofKind<Method extends AdversarialSpec['method']>(
  method: Method,
  spec: AdversarialSpec,
): ChosenMethod {
  return withSpec(methods[method], spec as SpecOf<Method>);
}

function withSpec<Spec>(method: TrainingMethod<Spec>, spec: Spec): ChosenMethod {
  return {
    addLoss: (step) => method.addLoss(step, spec),
    prepare: (problem) => method.prepare(problem, spec),
  };
}
