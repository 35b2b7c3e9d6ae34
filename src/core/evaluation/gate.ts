import type { z } from 'zod';
import type { Classifier, Expectation, Samples } from '../attacks/index.js';
import type { CertifiableModel } from '../certification/index.js';
import type { InputFeature, TableColumn } from '../data/index.js';
import type { GateSpec, Verdict } from '../spec/index.js';

/** What every row of evidence says of its sample. */
export interface EvidenceRow {
  readonly id: string;
  /** True class index. */
  readonly label: number;
  /**
   * Class index that is served for the untouched sample; −1 where its logits are not finite, or the smoothed classifier
   * abstains.
   */
  readonly predicted: number;
  readonly correct: boolean;
}

/** The model under test and the samples drawn for it, ready to be measured. */
export interface GateSubject {
  /** In the order drawn, which is random but known to anyone who knows the run key. */
  readonly samples: Samples;
  /** Natural inputs that a thief of the model may own: the validation samples, whose labels it does not know. */
  readonly owned?: Pick<Samples, 'ids' | 'inputs'>;
  /** Number of classes. */
  readonly classes: number;
  /** Valid range of each input value (length: one sample's size). */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /** What the data block says of each input value, where there is one. */
  readonly features?: readonly InputFeature[];
  /** Keys every random draw, together with the sample's id. */
  readonly seed: number;
  /**
   * One sample through the model as it is served: its own session of the very file, batch size 1.
   * @param bytes - little-endian float32 values, as a client sends them @returns logits
   */
  serve(bytes: Uint8Array): Promise<Float32Array>;
  /**
   * Opens the model as an attacker sees it, logits multiplied by 2 to some power; the gate closes it.
   * @param expectation - how it is averaged where it draws at random
   * @throws RefusedError `operator-unsupported` when it cannot be differentiated
   */
  openClassifier(logitExponent: number, expectation?: Expectation): Promise<Classifier>;
  /**
   * Opens the parent, which an attacker may own: the model that this one was fine-tuned from, or that it would replace;
   * the gate closes it. Undefined where none is known.
   */
  readonly openParent?: GateSubject['openClassifier'];
  /** The model file for a proof about it, or about its answers under noise. */
  readonly certifiable: CertifiableModel;
  /** Whether what is served is a vote over the file's answers under noise, so that proofs about the file are not about it. */
  readonly isSmoothed?: boolean;
  /** How many networks vote, where it was trained in partitions: what is served then counts their votes. */
  readonly voters?: number;
  readonly onProgress?: (fraction: number) => void;
  /** Called as each attack of a suite begins, and with what share of its work is done. */
  readonly onAttack?: (progress: AttackProgress) => void;
  /** Called with each adversarial example that the serving session confirmed. */
  readonly onBroken?: (example: AdversarialExample) => void;
  readonly signal?: AbortSignal;
}

/** One attack of a suite under way, for a display. */
export interface AttackProgress {
  readonly attack: string;
  /** 0…1. */
  readonly fraction: number;
  /** Samples that it was given: right as they are, and not broken by what it builds on. */
  readonly attacked: number;
}

/** A run of samples in the order drawn: those from position `from` up to, and without, `to`. */
export interface Block {
  readonly from: number;
  readonly to: number;
}

/** What a gate saw of every sample, and, where it could not do all of its work, why not. */
export interface Measurement<Row extends EvidenceRow> {
  readonly rows: readonly Row[];
  readonly obstacle?: string;
}

/** A measurement under way: its rows after its first steps. */
export interface ResumePoint<Row extends EvidenceRow> {
  readonly steps: number;
  readonly rows: readonly Row[];
}

/** Where a measurement goes on from, and where it says how far it has come. */
export interface Resumption<Row extends EvidenceRow> {
  /** Of an earlier measurement of the same block; the beginning where absent. */
  readonly from?: ResumePoint<Row>;
  /** Called after each step but the last, before the next one. */
  keep(point: ResumePoint<Row>): Promise<void>;
}

/** What a decision may depend on: nothing but the evidence. */
export interface Evidence<Row extends EvidenceRow> extends Measurement<Row> {
  /** Whether there was a parent to attack through; default: no. */
  readonly parent?: boolean;
  /** Classes by index, as the snapshot names them. */
  readonly classes: readonly (string | number)[];
}

/** A verdict before its evidence has a digest. */
export type Decision = Omit<Verdict, 'evidence'>;

/** A gate: one file, one value of this interface, one case of the registry. */
export interface Gate<Spec extends GateSpec, Row extends EvidenceRow> {
  readonly kind: Spec['gate'];
  /** One line of evidence. */
  readonly rowSchema: z.ZodType<Row>;
  /** The rows as a table, for people to query; the same columns for rows alike. */
  columns(rows: readonly Row[]): readonly TableColumn[];
  /** How many samples one worker measures at a time; results do not depend on it. */
  readonly shardSize: number;
  /** How many of the test samples it draws. */
  sampleCount(spec: Spec, available: number): number;
  /**
   * Looks at the model, without judging.
   * @param block - measures only these of the subject's samples; the blocks' rows together are those of the whole
   * @param resumption - for a gate that measures in long steps: an interrupted measurement ends in the same rows
   */
  measure(
    spec: Spec,
    subject: GateSubject,
    block?: Block,
    resumption?: Resumption<Row>,
  ): Promise<Measurement<Row>>;
  /**
   * After how many samples it has seen enough, where it may stop early.
   * @param rows - the first of the draw, in order
   * @param most - how many samples it draws
   * @returns `most` where nothing is clear before
   */
  stopsAfter?(spec: Spec, rows: readonly Row[], most: number): number;
  /** What of the rows cannot be so under this specification; a sentence each. */
  contradictions?(spec: Spec, rows: readonly Row[]): readonly string[];
  /** Judges, without looking: a pure function, run again by whoever signs the verdict. */
  decide(spec: Spec, evidence: Evidence<Row>): Decision;
}

/** An input inside the threat model that the served model gets wrong. */
export interface AdversarialExample {
  /** Of the sample that it was made of. */
  readonly id: string;
  /** The attack that found it; `unbounded` for the control without a radius. */
  readonly attack: string;
  /** As many values as a sample has. */
  readonly adversarial: Float32Array;
  /** What the served model takes it for; −1 where its logits are not finite. */
  readonly prediction: number;
}
