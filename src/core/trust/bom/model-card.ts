import type { GateSpec, Verdict } from '../../spec/index.js';
import { canonicalJson } from '../../store/index.js';
import type { Materials } from './materials.js';

/**
 * The model card of CycloneDX 1.6 (`modelCard`): what the model is, how it was measured, and what that does not say. Every
 * sentence follows from a signed statement.
 */
export function modelCardOf(materials: Materials) {
  const { card, provenance, tests, record } = materials;
  const { input, output } = card;
  const { training } = provenance.buildDefinition.externalParameters;
  const network = training.trainer === 'built-in' ? training.parameters.network : undefined;
  const shape = (dims: readonly number[]) => `float32 [N, ${dims.join(', ')}]`;
  return {
    modelParameters: {
      approach: { type: 'supervised' },
      task: `${input.text ? 'text' : input.shape.length >= 2 ? 'image' : 'tabular'} classification`,
      architectureFamily: network?.kind ?? 'program',
      ...(network && { modelArchitecture: canonicalJson(network) }),
      datasets: [{ ref: card.snapshot }],
      inputs: [{ format: input.text ? 'text' : shape(input.shape) }],
      outputs: [{ format: `${shape([output.classes.length])} logits` }],
    },
    quantitativeAnalysis: { performanceMetrics: tests.flatMap(metricsOf) },
    considerations: {
      useCases: [`Classes ${output.classes.join(', ')}, as endpoint ${record.endpoint} serves them.`],
      technicalLimitations: limitationsOf(materials),
      ethicalConsiderations: risksOf(materials),
    },
    properties: [
      { name: 'assay:seed', value: String(training.seed) },
      { name: 'assay:trainer', value: card.training.trainer },
      { name: 'assay:parameters', value: canonicalJson(card.training.parameters) },
      ...output.classes.map((name, index) => ({ name: `assay:class:${index}`, value: String(name) })),
    ],
  };
}

/** The estimate with its interval first, then the figures that come without one. */
function metricsOf({ gate, verdict }: { readonly gate: GateSpec; readonly verdict: Verdict }) {
  const { metric, estimate, interval, confidence, n, status, threshold, bound = 'minimum' } = verdict;
  const [low, high] = interval;
  const slice = `test split, gate ${verdict.gate}${ballOf(gate)}`;
  return [
    {
      type: metric,
      value: String(estimate),
      slice: `${slice}, n = ${n}, ${confidence * 100} % interval, ${bound} ${threshold}: ${status}`,
      confidenceInterval: { lowerBound: String(low), upperBound: String(high) },
    },
    ...Object.entries(verdict.figures).map(([type, value]) => ({ type, value: String(value), slice })),
  ];
}

function ballOf(gate: GateSpec): string {
  return 'epsilon' in gate ? ` (${gate.norm}, epsilon ${gate.epsilon})` : '';
}

function limitationsOf({ card, tests, record }: Materials): readonly string[] {
  const kinds = new Set(tests.map(({ gate }) => gate.gate));
  const doubtful = tests.filter(({ verdict }) => verdict.status !== 'pass');
  return [
    'Inputs outside the ranges of the model card are refused; nothing was measured there.',
    ...(kinds.has('evasion')
      ? ['Robust accuracy is an estimate against the attacks of its gate, and no certificate.']
      : []),
    ...(card.smoothing ? ['Served by votes under noise: an answer may be an abstention.'] : []),
    ...(record.serving ? ['Clients are told only what their scope reveals.'] : []),
    ...doubtful.map(
      ({ verdict }) => `Gate ${verdict.gate} came out ${verdict.status} and was waived by a person.`,
    ),
  ];
}

/** The threats of the design that gates measure, and what was done about each. */
function risksOf({ data, tests }: Materials) {
  const measured = (kinds: readonly string[]) => {
    const names = tests.filter(({ gate }) => kinds.includes(gate.gate)).map(({ verdict }) => verdict.gate);
    return names.length > 0
      ? `Measured by gate ${names.join(', ')}.`
      : 'Not measured by a gate of this release.';
  };
  const checks = data.account
    ? `${data.account.refused} of ${data.account.read} rows set aside`
    : 'every row';
  return [
    { name: 'adversarial examples', mitigationStrategy: measured(['evasion', 'certified']) },
    { name: 'model theft', mitigationStrategy: measured(['extraction']) },
    { name: 'bad or tampered data', mitigationStrategy: `Checked before training: ${checks}.` },
  ];
}
