import { createHmac } from 'node:crypto';
import type { Samples } from '../../attacks/index.js';
import type { SampleSet } from '../../data/index.js';
import { RefusedError } from '../../errors/index.js';
import { type Digest, type EvasionGateSpec, suiteOf } from '../../spec/index.js';
import { type ControlReport, examineControls } from '../controls/examine.js';
import { evasionGate } from '../evasion-gate.js';
import type { EvasionRow } from '../evasion-row.js';
import type { AdversarialExample, AttackProgress, Decision, GateSubject, Measurement } from '../gate.js';
import { parentOpener } from '../open-parent.js';
import { chooseSamples, seedOf } from '../run-key.js';
import { sampleBytes } from '../serve-cleanly.js';
import { applicable } from '../suite-attacks.js';
import { takeSamples } from '../take-samples.js';
import type { ModelFile } from './model-file.js';

export interface EvaluateFileOptions {
  readonly model: ModelFile;
  /** The model that it was made from, or another one that an attacker may own. */
  readonly parent?: ModelFile;
  readonly set: SampleSet;
  readonly spec: EvasionGateSpec;
  /** Names the draw of the samples and all random choices, together with the data. */
  readonly seed: number;
  /** Digest of the bytes that the samples came from. */
  readonly data: Digest;
  readonly onAttack?: (progress: AttackProgress) => void;
  readonly signal?: AbortSignal;
}

/** What the evasion gate saw and decided, with the samples themselves. */
export interface FileEvaluation {
  readonly decision: Decision;
  readonly measurement: Measurement<EvasionRow>;
  readonly controls: readonly ControlReport[];
  readonly samples: Samples;
  readonly classes: readonly (string | number)[];
  /** The first adversarial example of each sample that was broken, in the order drawn. */
  readonly examples: readonly AdversarialExample[];
}

/**
 * Puts anyone's model file before the evasion gate: the same suite, controls and decision as in a run, without a store.
 *
 * The draw of the samples depends on the data and the seed alone, so that figures of several models or radii are about the
 * same samples.
 *
 * @throws RefusedError `data-refused` when the labels are none of the model's classes; `model-unfit` when the parent has
 * others; the signal's reason
 */
export async function evaluateFile({
  model,
  set,
  spec,
  ...options
}: EvaluateFileOptions): Promise<FileEvaluation> {
  const { shape, minimum, maximum } = set;
  const key = createHmac('sha256', 'assay/standalone/v1')
    .update(`${options.data}\n${options.seed}`)
    .digest('hex');
  const drawn = chooseSamples(key, set.samples.ids, evasionGate.sampleCount(spec, set.samples.ids.length));
  const samples = takeSamples(set.samples, drawn);
  const first = await model.serve(sampleBytes(samples.inputs, minimum.length, 0), shape);
  const classes = classNames(set, first.length);
  const examples = new Map<string, AdversarialExample>();
  const subject: GateSubject = {
    samples,
    classes: classes.length,
    minimum,
    maximum,
    seed: seedOf(key),
    serve: (bytes) => model.serve(bytes, shape),
    openClassifier: (logitExponent) => model.openClassifier(shape, logitExponent),
    ...(options.parent && { openParent: parentOpener(options.parent, shape, classes.length) }),
    onBroken(example) {
      if (example.attack !== 'unbounded' && !examples.has(example.id)) examples.set(example.id, example);
    },
    ...(options.onAttack ? { onAttack: options.onAttack } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const measurement = await evasionGate.measure(spec, subject);
  const gradients = measurement.obstacle === undefined;
  const parent = options.parent !== undefined;
  const suite = applicable(suiteOf(spec), { gradients, parent });
  return {
    decision: evasionGate.decide(spec, { ...measurement, classes, parent }),
    measurement,
    controls: examineControls({ rows: measurement.rows, confidence: spec.confidence, suite }, gradients),
    samples,
    classes,
    examples: samples.ids.flatMap((id) => examples.get(id) ?? []),
  };
}

/** Data need not hold a sample of every class. */
function classNames({ classes }: SampleSet, count: number): FileEvaluation['classes'] {
  const indices = classes.every((name, index) => name === index);
  if (classes.length > count || (classes.length < count && !indices)) {
    throw new RefusedError(
      'data-refused',
      `expected the ${count} classes of the model, got ${classes.length}; give them in the model's order with --classes`,
    );
  }
  return indices ? Array.from({ length: count }, (_, index) => index) : classes;
}
