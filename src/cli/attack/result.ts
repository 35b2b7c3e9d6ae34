import {
  type AttackFigures,
  attackFigures,
  type ControlReport,
  type FileEvaluation,
} from '../../core/evaluation/index.js';
import { type ExecutionEnvironment, executionEnvironment } from '../../core/onnx/index.js';
import type { Digest, EvasionGateSpec } from '../../core/spec/index.js';
import type { ReadData } from '../model-and-data/read-data.js';

/** What `assay attack` found: the JSON result, and all that table and report show. */
export interface AttackResult {
  readonly version: 1;
  readonly model: {
    readonly file: string;
    readonly digest: Digest;
    readonly shape: readonly number[];
    readonly classes: readonly (string | number)[];
    readonly gradient: 'available' | 'unavailable';
    readonly obstacle?: string;
    /** What it was attacked through. */
    readonly parent?: { readonly file: string; readonly digest: Digest };
  };
  readonly data: {
    readonly file: string;
    readonly digest: Digest;
    /** Samples that there were to draw from. */
    readonly available: number;
    readonly seed: number;
    /** The smallest and largest valid value of any input, in the units that the model sees. */
    readonly range: readonly [number, number];
  };
  /** What was taken for granted, and what to know of the model. */
  readonly notes: readonly string[];
  readonly policy: EvasionGateSpec;
  /**
   * `pass`, `fail` or `inconclusive` against the minimum. Without one, `measured` where the controls hold, and what they say
   * where they do not.
   */
  readonly status: 'pass' | 'fail' | 'inconclusive' | 'measured';
  readonly reasons: readonly string[];
  readonly minimum: number | null;
  readonly cleanAccuracy: number;
  readonly robustAccuracy: {
    readonly estimate: number;
    readonly interval: readonly [number, number];
    readonly confidence: number;
    readonly n: number;
  };
  readonly attacks: readonly (AttackFigures & { readonly seconds: number })[];
  /** What one patch for all does to samples that are right and that it was not learned from; absent where none was tried. */
  readonly sticker?: { readonly judged: number; readonly broken: number };
  readonly controls: readonly ControlReport[];
  readonly seconds: number;
  /** The command line, for whoever wants to see it again. */
  readonly command: string;
  readonly environment: ExecutionEnvironment;
}

export interface ResultInputs {
  readonly model: Pick<AttackResult['model'], 'file' | 'digest' | 'parent'> & {
    readonly notes: readonly string[];
  };
  readonly data: ReadData;
  readonly spec: EvasionGateSpec;
  /** Absent where nothing is to be judged; the gate was given 0 then. */
  readonly minimum: number | undefined;
  readonly seed: number;
  readonly evaluation: FileEvaluation;
  readonly seconds: ReadonlyMap<string, number>;
  readonly totalSeconds: number;
  readonly command: string;
}

export function attackResult(inputs: ResultInputs): AttackResult {
  const { model, data, spec, minimum, seed, evaluation, seconds } = inputs;
  const { decision, measurement, classes } = evaluation;
  const { rows, obstacle } = measurement;
  const { status, estimate, confidence, n } = decision;
  const [low, high] = decision.interval;
  const cleanAccuracy = rows.filter(({ correct }) => correct).length / rows.length;
  return {
    version: 1,
    model: {
      file: model.file,
      digest: model.digest,
      shape: data.set.shape,
      classes,
      ...(model.parent && { parent: model.parent }),
      ...(obstacle === undefined ? { gradient: 'available' } : { gradient: 'unavailable', obstacle }),
    },
    data: {
      file: data.file,
      digest: data.digest,
      available: data.set.samples.ids.length,
      seed,
      range: [
        data.set.minimum.reduce((least, value) => Math.min(least, value)),
        data.set.maximum.reduce((most, value) => Math.max(most, value)),
      ],
    },
    notes: [
      ...model.notes,
      ...(model.parent ? [`The model is attacked through ${model.parent.file}, too.`] : []),
      ...(spec.randomised
        ? [
            `Attacks climb the mean of ${spec.randomised.draws} draws; a sample counts as most of ${spec.randomised.answers} answers to it do.`,
          ]
        : []),
      ...data.set.notes,
      ...guessingNote(cleanAccuracy, classes.length),
    ],
    policy: spec,
    status: minimum === undefined && status === 'pass' ? 'measured' : status,
    // The first reason is about the minimum.
    reasons: minimum === undefined ? decision.reasons.slice(1) : decision.reasons,
    minimum: minimum ?? null,
    cleanAccuracy,
    robustAccuracy: { estimate, interval: [low!, high!], confidence, n },
    attacks: attackFigures(rows, confidence).map((figures) => ({
      ...figures,
      seconds: seconds.get(figures.attack) ?? 0,
    })),
    ...stickerEntry(rows),
    controls: evaluation.controls,
    seconds: inputs.totalSeconds,
    command: inputs.command,
    environment: executionEnvironment(),
  };
}

function stickerEntry(rows: FileEvaluation['measurement']['rows']): Pick<AttackResult, 'sticker'> {
  const outcomes = rows.flatMap(({ attacks }) => (attacks?.sticker?.heldOut ? [attacks.sticker] : []));
  if (outcomes.length === 0) return {};
  return { sticker: { judged: outcomes.length, broken: outcomes.filter(({ broken }) => broken).length } };
}

/** Figures about a model that was fed wrongly look like figures. */
function guessingNote(cleanAccuracy: number, classes: number): readonly string[] {
  const chance = 1 / classes;
  return cleanAccuracy > chance + 0.1 * (1 - chance)
    ? []
    : [
        `Without any attack the model is right on ${cleanAccuracy.toFixed(4)}, hardly more than by guessing: check --scale, --range, and the order of --columns and --classes.`,
      ];
}
