import { squaredDistance } from './projection.js';

/** One sample that a client asks about. */
export interface Observation {
  /** The sample, projected. */
  readonly point: Float32Array;
  /** The largest of the model's probabilities less the second. */
  readonly margin: number;
}

/** What honest samples look like to the model. */
export interface Reference {
  /** Projected honest samples. */
  readonly points: readonly Float32Array[];
  /** Squared distances from each honest sample to its nearest other one, sorted. */
  readonly gaps: Float64Array;
  /** Margins of the model's answers to honest samples, sorted. */
  readonly margins: Float64Array;
}

/** Something that requests of thieves and attackers have more often than others: one file's worth of idea, one row of the list. */
export interface Sign {
  readonly name: string;
  /** For people: what the client does. */
  readonly meaning: string;
  /** @param recent - what the same client asked before */
  readonly shows: (
    observation: Observation,
    recent: readonly Float32Array[],
    reference: Reference,
  ) => boolean;
}

/** Signs that 2 % of honest samples show, by choice of where to cut. */
const QUANTILE = 0.02;

/**
 * Asks again and again about nearly the same, but not the very same: as attacks without gradients must.
 *
 * Source: Chen, Carlini, Wagner, "Stateful detection of black-box adversarial attacks", SPAI 2020, with the distance to the nearest
 * of the client's own requests.
 */
const nearDuplicates: Sign = {
  name: 'near-duplicates',
  meaning: 'asks about many inputs that are nearly alike, as a black-box attack does',
  shows: ({ point }, recent, { gaps }) => {
    const close = quantile(gaps, QUANTILE);
    return recent.some((earlier) => {
      const distance = squaredDistance(point, earlier, close);
      return distance > 0 && distance < close;
    });
  },
};

/**
 * Asks where the model is unsure: extraction and boundary attacks look for the places where classes meet.
 *
 * Source: Tramèr et al., USENIX Security 2016 (adaptive retraining asks there); Brendel, Rauber, Bethge, ICLR 2018 (attacks walk there).
 */
const nearBoundary: Sign = {
  name: 'near-boundary',
  meaning: 'asks where the model is unsure, as a thief or a boundary attack does',
  shows: ({ margin }, _recent, { margins }) => margin < quantile(margins, QUANTILE),
};

/**
 * Asks about what is far from all honest data: inputs that were made up.
 *
 * Source: Juuti, Szyller, Marchal, Asokan, "PRADA: protecting against DNN model stealing attacks", EuroS&P 2019, whose idea it is that
 * distances between made-up queries are not those of natural ones.
 */
const unnatural: Sign = {
  name: 'unnatural',
  meaning: 'asks about inputs unlike any honest ones, as a thief with made-up data does',
  shows: ({ point }, _recent, { points, gaps }) => {
    const far = quantile(gaps, 1 - QUANTILE);
    return points.every((honest) => squaredDistance(point, honest, far) > far);
  },
};

/** Every sign that is looked for. */
export const signs: readonly Sign[] = [nearDuplicates, nearBoundary, unnatural];

/** @param sorted - ascending, at least one value */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
