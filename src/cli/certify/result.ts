import { type CurvePoint, certifiedCurve, type FileCertification } from '../../core/evaluation/index.js';
import { type ExecutionEnvironment, executionEnvironment } from '../../core/onnx/index.js';
import type { CertifiedGateSpec, Digest } from '../../core/spec/index.js';
import type { ReadData } from '../model-and-data/read-data.js';

/** What `assay certify` proved: the JSON result, and all that table and report show. */
export interface CertifyResult {
  readonly version: 1;
  readonly model: {
    readonly file: string;
    readonly digest: Digest;
    readonly shape: readonly number[];
    readonly classes: readonly (string | number)[];
    /** Why nothing could be certified. */
    readonly obstacle?: string;
  };
  readonly data: {
    readonly file: string;
    readonly digest: Digest;
    /** Samples that there were to draw from. */
    readonly available: number;
    readonly seed: number;
  };
  /** What was taken for granted, and what to know of the certificates. */
  readonly notes: readonly string[];
  readonly policy: CertifiedGateSpec;
  /** `pass`, `fail` or `inconclusive` against the minimum; without one, `measured`. */
  readonly status: 'pass' | 'fail' | 'inconclusive' | 'measured';
  readonly reasons: readonly string[];
  readonly minimum: number | null;
  /** Right, with a certificate of the radius asked for. */
  readonly certifiedAccuracy: CurvePoint['certified'];
  /** Of the classifier that is certified; an abstention is wrong. */
  readonly accuracy: number;
  readonly abstentions: number;
  /** Certified accuracy by radius. */
  readonly curve: readonly CurvePoint[];
  readonly certificates: readonly {
    readonly id: string;
    readonly label: number;
    /** −1 where it abstains. */
    readonly predicted: number;
    readonly radius: number;
  }[];
  readonly seconds: number;
  /** The command line, for whoever wants to see it again. */
  readonly command: string;
  readonly environment: ExecutionEnvironment;
}

export interface ResultInputs {
  readonly model: { readonly file: string; readonly digest: Digest };
  readonly data: ReadData;
  readonly spec: CertifiedGateSpec;
  /** Absent where nothing is to be judged; the gate was given 0 then. */
  readonly minimum: number | undefined;
  readonly seed: number;
  readonly certification: FileCertification;
  readonly seconds: number;
  readonly command: string;
}

export function certifyResult(inputs: ResultInputs): CertifyResult {
  const { model, data, spec, minimum, seed, certification } = inputs;
  const { decision, measurement, classes } = certification;
  const { rows, obstacle } = measurement;
  const { status, estimate, confidence, n } = decision;
  const [low, high] = decision.interval;
  return {
    version: 1,
    model: { ...model, shape: data.set.shape, classes, ...(obstacle !== undefined && { obstacle }) },
    data: { file: data.file, digest: data.digest, available: data.set.samples.ids.length, seed },
    notes: [...smoothingNotes(spec), ...data.set.notes],
    policy: spec,
    status: minimum === undefined && status === 'pass' ? 'measured' : status,
    // The first reason is about the minimum.
    reasons: minimum === undefined ? decision.reasons.slice(1) : decision.reasons,
    minimum: minimum ?? null,
    certifiedAccuracy: { estimate, interval: [low!, high!], confidence, n },
    accuracy: rows.filter(({ correct }) => correct).length / rows.length,
    abstentions: rows.filter(({ predicted }) => predicted < 0).length / rows.length,
    curve: certifiedCurve(spec, rows),
    certificates: rows.map(({ id, label, predicted, radius }) => ({ id, label, predicted, radius })),
    seconds: inputs.seconds,
    command: inputs.command,
    environment: executionEnvironment(),
  };
}

function smoothingNotes({ smoothing }: CertifiedGateSpec): readonly string[] {
  if (!smoothing) return [];
  return [
    `The certificates are about the smoothed classifier, not about the file: serve it with noise of sigma ${smoothing.sigma}.`,
    `Each is wrong with probability at most ${smoothing.alpha}, over the noise.`,
  ];
}
