import type { ServedSmoothing } from './certification.js';
import type { ExtractionGateSpec, GateSpec } from './gates.js';
import { type Reveals, revealsSchema, type ScopeSpec, type ServingSpec } from './serving.js';
import { type TrainingSpec, votersOf } from './training.js';

/** How a model is served: smoothed or as it is, and what is told to whom. */
export interface WhatIsServed {
  readonly smoothing?: ServedSmoothing | undefined;
  readonly serving?: ServingSpec | undefined;
  /** How the model came to be, as its provenance says. */
  readonly training?: TrainingSpec | undefined;
}

/**
 * A gate protects nobody that looks at another classifier than the one that is served: the model itself, or, where its card
 * says how it is smoothed, the smoothed classifier. Nor does one that steals from clients who are told other things.
 *
 * @returns what is wrong with the gate; undefined when it is about what is served
 */
export function missesWhatIsServed(
  gate: GateSpec,
  { smoothing, serving, training }: WhatIsServed,
): string | undefined {
  switch (gate.gate) {
    // It asks what is served, whatever that is.
    case 'accuracy':
      return undefined;
    case 'evasion':
      return smoothing
        ? 'expected no evasion gate of a smoothed classifier: attacks follow gradients of its base, which is not what is served; ask for a certified one'
        : undefined;
    case 'certified': {
      const [certified, served] = [gate.smoothing?.sigma, smoothing?.sigma];
      if (certified === served) return undefined;
      const named = (sigma: number | undefined) =>
        sigma === undefined ? 'the model itself' : `a classifier smoothed with sigma ${sigma}`;
      return `expected certificates of what is served, ${named(served)}, got those of ${named(certified)}`;
    }
    case 'certified-poisoning':
      return missesVoters(smoothing, training);
    case 'extraction':
      return missesWhatIsTold(gate, serving);
  }
}

/**
 * Votes prove nothing by themselves: a file may count whatever it likes. That each voter saw one partition follows from the training,
 * and that the training is what made the file, from a second one on another worker that gave the same bytes.
 */
function missesVoters(
  smoothing: ServedSmoothing | undefined,
  training: TrainingSpec | undefined,
): string | undefined {
  if (training === undefined || votersOf(training) === undefined)
    return 'expected a model that the built-in trainer trains in partitions: see training.parameters.partitions';
  if (!training.reproduce)
    return 'expected a training that is reproduced: without a second one, that the model was trained in partitions is a claim';
  return smoothing ? 'expected votes to be served as they are, got a smoothed classifier' : undefined;
}

function missesWhatIsTold(
  { scope, reveals, queries }: ExtractionGateSpec,
  serving: ServingSpec | undefined,
): string | undefined {
  const served = scopeServed(serving, scope);
  if (served === undefined) return `expected a scope that is served, got ${scope}`;
  if (reveals && !sameReveals(reveals, served.reveals))
    return `expected a thief who is told what the scope ${scope} is told, got one who is told otherwise`;
  const { total, perDay } = served.budget ?? {};
  const budget = total ?? perDay;
  if (budget === undefined)
    return `expected a budget of the scope ${scope}, perDay or total, got none: a thief who may ask for ever needs no gate`;
  return queries < budget
    ? `expected a thief who asks as much as the scope ${scope} may, ${budget} samples, got one who asks ${queries}`
    : undefined;
}

const everything: ScopeSpec = { reveals: revealsSchema.parse({}) };

/** What clients of a scope are told and may ask: everything where there are no scopes. @returns undefined for an unknown one */
export function scopeServed(serving: ServingSpec | undefined, scope: string): ScopeSpec | undefined {
  if (serving === undefined) return everything;
  return Object.hasOwn(serving.scopes, scope) ? serving.scopes[scope] : undefined;
}

/** The gate with what its thief is told, as its scope is told it. */
export function withReveals(gate: ExtractionGateSpec, serving: ServingSpec | undefined): ExtractionGateSpec {
  const served = scopeServed(serving, gate.scope);
  return served === undefined ? gate : { ...gate, reveals: served.reveals };
}

function sameReveals(one: Reveals, other: Reveals): boolean {
  const fields = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof Reveals>;
  return [...fields].every((field) => String(one[field]) === String(other[field]));
}
