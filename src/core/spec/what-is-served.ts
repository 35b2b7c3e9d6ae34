import type { ServedSmoothing } from './certification.js';
import type { ExtractionGateSpec, GateSpec } from './gates.js';
import { type Reveals, revealsSchema, type ServingSpec } from './serving.js';

/** How a model is served: smoothed or as it is, and what is told to whom. */
export interface WhatIsServed {
  readonly smoothing?: ServedSmoothing | undefined;
  readonly serving?: ServingSpec | undefined;
}

/**
 * A gate protects nobody that looks at another classifier than the one that is served: the model itself, or, where its card
 * says how it is smoothed, the smoothed classifier. Nor does one that steals from clients who are told other things.
 *
 * @returns what is wrong with the gate; undefined when it is about what is served
 */
export function missesWhatIsServed(gate: GateSpec, { smoothing, serving }: WhatIsServed): string | undefined {
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
    case 'extraction': {
      const revealed = revealsToScope(serving, gate.scope);
      if (revealed === undefined) return `expected a scope that is served, got ${gate.scope}`;
      return gate.reveals && !sameReveals(gate.reveals, revealed)
        ? `expected a thief who is told what the scope ${gate.scope} is told, got one who is told otherwise`
        : undefined;
    }
  }
}

/** What a scope is told: everything where there are no scopes. @returns undefined for a scope that is not served */
export function revealsToScope(serving: ServingSpec | undefined, scope: string): Reveals | undefined {
  if (serving === undefined) return revealsSchema.parse({});
  return Object.hasOwn(serving.scopes, scope) ? serving.scopes[scope]?.reveals : undefined;
}

/** The gate with what its thief is told, as its scope is told it. */
export function withReveals(gate: ExtractionGateSpec, serving: ServingSpec | undefined): ExtractionGateSpec {
  const reveals = revealsToScope(serving, gate.scope);
  return reveals === undefined ? gate : { ...gate, reveals };
}

function sameReveals(one: Reveals, other: Reveals): boolean {
  const fields = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof Reveals>;
  return [...fields].every((field) => String(one[field]) === String(other[field]));
}
