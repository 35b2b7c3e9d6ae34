import type { Samples } from '../../attacks/index.js';
import { type EvasionGateSpec, suiteOf } from '../../spec/index.js';
import { type ControlReport, examineControls } from '../controls/examine.js';
import { controlEvidence, evasionGate } from '../evasion-gate.js';
import type { EvasionRow } from '../evasion-row.js';
import type { AdversarialExample, AttackProgress, Decision, GateSubject, Measurement } from '../gate.js';
import { parentOpener } from '../open-parent.js';
import { applicable } from '../suite-attacks.js';
import { type FileInputs, type FileSubject, fileSubject } from './file-subject.js';
import type { ModelFile } from './model-file.js';

export interface EvaluateFileOptions extends FileInputs {
  /** The model that it was made from, or another one that an attacker may own. */
  readonly parent?: ModelFile;
  readonly spec: EvasionGateSpec;
  readonly onAttack?: (progress: AttackProgress) => void;
  readonly signal?: AbortSignal;
}

/** What the evasion gate saw and decided, with the samples themselves. */
export interface FileEvaluation {
  readonly decision: Decision;
  readonly measurement: Measurement<EvasionRow>;
  readonly controls: readonly ControlReport[];
  readonly samples: Samples;
  readonly classes: FileSubject['classes'];
  /** The first adversarial example of each sample that was broken, in the order drawn. */
  readonly examples: readonly AdversarialExample[];
}

/**
 * Puts anyone's model file before the evasion gate: the same suite, controls and decision as in a run, without a store.
 *
 * @throws RefusedError `data-refused` when the labels are none of the model's classes; `model-unfit` when the parent has
 * others; the signal's reason
 */
export async function evaluateFile({
  spec,
  parent: parentModel,
  onAttack,
  signal,
  ...inputs
}: EvaluateFileOptions): Promise<FileEvaluation> {
  const available = inputs.set.samples.ids.length;
  const { subject: found, classes } = await fileSubject(inputs, evasionGate.sampleCount(spec, available));
  const examples = new Map<string, AdversarialExample>();
  const subject: GateSubject = {
    ...found,
    ...(parentModel && { openParent: parentOpener(parentModel, inputs.set.shape, classes.length) }),
    onBroken(example) {
      if (example.attack !== 'unbounded' && !examples.has(example.id)) examples.set(example.id, example);
    },
    ...(onAttack && { onAttack }),
    ...(signal && { signal }),
  };
  const { samples } = subject;
  const measurement = await evasionGate.measure(spec, subject);
  const gradients = measurement.obstacle === undefined;
  const parent = parentModel !== undefined;
  const suite = applicable(suiteOf(spec), { gradients, parent });
  return {
    decision: evasionGate.decide(spec, { ...measurement, classes, parent }),
    measurement,
    controls: examineControls(controlEvidence(spec, suite, measurement.rows), gradients),
    samples,
    classes,
    examples: samples.ids.flatMap((id) => examples.get(id) ?? []),
  };
}
