import type { GateSpec } from '../spec/index.js';
import { accuracyGate } from './accuracy-gate.js';
import { certifiedGate } from './certified-gate.js';
import { certifiedPoisoningGate } from './certified-poisoning-gate.js';
import { evasionGate } from './evasion-gate.js';
import { extractionGate } from './extraction-gate.js';
import type { EvidenceRow, Gate } from './gate.js';

/** Calls `use` with the gate that a specification names, and the specification in that gate's own type. */
export function withGate<Result>(
  spec: GateSpec,
  use: <Spec extends GateSpec, Row extends EvidenceRow>(gate: Gate<Spec, Row>, spec: Spec) => Result,
): Result {
  switch (spec.gate) {
    case 'accuracy':
      return use(accuracyGate, spec);
    case 'evasion':
      return use(evasionGate, spec);
    case 'certified':
      return use(certifiedGate, spec);
    case 'certified-poisoning':
      return use(certifiedPoisoningGate, spec);
    case 'extraction':
      return use(extractionGate, spec);
  }
}
