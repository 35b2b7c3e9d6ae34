import { clopperPearson } from '../statistics/index.js';
import {
  type Detection,
  type Detector,
  type DetectorContext,
  type SuspectData,
  suspectsOf,
} from './detector.js';

/** What one detector found. */
export interface Inspection {
  readonly detector: string;
  readonly looksFor: string;
  /** The most suspicious first. */
  readonly suspects: readonly Suspect[];
  /** What is named: samples, contributors or classes. */
  readonly finds: 'samples' | 'contributors' | 'classes';
  /** How many there are. */
  readonly counted: number;
  /** Share of all of them that are suspect, and its interval (Clopper–Pearson, 99.9 %). */
  readonly share: number;
  readonly interval: readonly [number, number];
  /**
   * `suspicious`: more samples are suspect than honest data would give at the false-alarm rate, beyond chance. `clean`
   * otherwise, which says that this detector found nothing, and no more.
   */
  readonly status: 'clean' | 'suspicious';
  readonly figures: Readonly<Record<string, number>>;
}

export interface Suspect {
  readonly id: string;
  readonly score: number;
  readonly reason: string;
}

/** Of the interval: data are looked at often, by several detectors, and are mostly clean. */
const CONFIDENCE = 0.999;

/** Holds data against one detector. */
export async function inspect(
  detector: Detector,
  data: SuspectData,
  context: DetectorContext,
): Promise<Inspection> {
  const detection: Detection = await detector.detect(data, context);
  const suspects = suspectsOf(detection);
  const ids = detection.ids ?? data.ids;
  const n = ids.length;
  const interval = clopperPearson(suspects.length, n, CONFIDENCE);
  // Classes are few, and each is held to a share of the rate: one is enough.
  const isSuspicious =
    detector.finds === 'classes' ? suspects.length > 0 : interval[0] > context.falseAlarmRate;
  return {
    detector: detector.name,
    looksFor: detector.looksFor,
    finds: detector.finds ?? 'samples',
    suspects: suspects.map((index) => ({
      id: ids[index]!,
      score: detection.scores[index]!,
      reason: detection.reason(index),
    })),
    counted: n,
    share: n === 0 ? 0 : suspects.length / n,
    interval,
    status: isSuspicious ? 'suspicious' : 'clean',
    figures: detection.figures,
  };
}
