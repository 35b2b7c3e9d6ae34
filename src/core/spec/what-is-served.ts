import type { ServedSmoothing } from './certification.js';
import type { GateSpec } from './gates.js';

/**
 * A gate protects nobody that looks at another classifier than the one that is served: the model itself, or, where its card
 * says how it is smoothed, the smoothed classifier.
 *
 * @returns what is wrong with the gate; undefined when it is about what is served
 */
export function missesWhatIsServed(
  gate: GateSpec,
  smoothing: ServedSmoothing | undefined,
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
  }
}
