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
  /** Share of all samples that are suspect, and its interval (Clopper–Pearson, 99.9 %). */
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
  const n = data.ids.length;
  const interval = clopperPearson(suspects.length, n, CONFIDENCE);
  return {
    detector: detector.name,
    looksFor: detector.looksFor,
    suspects: suspects.map((index) => ({
      id: data.ids[index]!,
      score: detection.scores[index]!,
      reason: detection.reason(index),
    })),
    share: n === 0 ? 0 : suspects.length / n,
    interval,
    status: interval[0] > context.falseAlarmRate ? 'suspicious' : 'clean',
    figures: detection.figures,
  };
}
