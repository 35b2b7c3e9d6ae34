/**
 * Losses of one row of logits, in float64: the larger, the closer to a misclassification. A row that the model gets right
 * by a wide margin still has a loss of its own here, where float32 rounds them all to one.
 */

/** −log softmax(logits)[label]. */
export function crossEntropy(logits: Float32Array, label: number): number {
  const others = logits.reduce(
    (sum, value, c) => (c === label ? sum : sum + Math.exp(value - logits[label]!)),
    0,
  );
  return Math.log1p(others);
}

/** The largest logit of another class minus the label's: positive where the row is misclassified. */
export function margin(logits: Float32Array, label: number): number {
  return logits.reduce(
    (most, value, c) => (c === label ? most : Math.max(most, value - logits[label]!)),
    Number.NEGATIVE_INFINITY,
  );
}

/** A loss and its derivative by each logit. */
export interface LogitLoss {
  readonly loss: number;
  readonly weights: readonly number[];
}

/**
 * The difference of logits ratio: the {@link margin} in parts of the distance between the largest and the third largest
 * logit, so that neither scaling nor shifting the logits changes it. Three classes have no third that is free to move, and
 * the margin itself is taken.
 *
 * Source: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, section 4.1.
 */
export function logitDifferenceRatio(logits: Float32Array, label: number): LogitLoss {
  const [first, second, third] = largest(logits, 3);
  const rival = first === label ? second : first;
  const weights = new Array<number>(logits.length).fill(0);
  if (rival === undefined) return { loss: 0, weights };
  const difference = logits[rival]! - logits[label]!;
  if (logits.length <= 3) {
    weights[rival] = 1;
    weights[label] = -1;
    return { loss: difference, weights };
  }
  const width = logits[first!]! - logits[third!]! + NO_DIVISION_BY_ZERO;
  weights[rival]! += 1 / width;
  weights[label]! -= 1 / width;
  weights[first!]! -= difference / width ** 2;
  weights[third!]! += difference / width ** 2;
  return { loss: difference / width, weights };
}

/**
 * The same towards one class: its logit minus the label's, in parts of the distance between the largest logit and the mean
 * of the third and the fourth. With three classes or fewer, that difference itself.
 *
 * Source: the same, section 4.2.
 */
export function targetedDifferenceRatio(logits: Float32Array, label: number, target: number): LogitLoss {
  const [first, , third, fourth] = largest(logits, 4);
  const weights = new Array<number>(logits.length).fill(0);
  // The sample as it is has no target of its own.
  if (target === label) return { loss: margin(logits, label), weights };
  const difference = logits[target]! - logits[label]!;
  if (logits.length <= 3) {
    weights[target] = 1;
    weights[label] = -1;
    return { loss: difference, weights };
  }
  const width = logits[first!]! - (logits[third!]! + logits[fourth!]!) / 2 + NO_DIVISION_BY_ZERO;
  weights[target]! += 1 / width;
  weights[label]! -= 1 / width;
  weights[first!]! -= difference / width ** 2;
  weights[third!]! += difference / width ** 2 / 2;
  weights[fourth!]! += difference / width ** 2 / 2;
  return { loss: difference / width, weights };
}

const NO_DIVISION_BY_ZERO = 1e-12;

/** The classes of the largest logits, the largest first; equal ones by number. */
function largest(logits: Float32Array, count: number): readonly number[] {
  const order: number[] = [];
  for (let c = 0; c < logits.length; c++) {
    let rank = order.length;
    while (rank > 0 && logits[c]! > logits[order[rank - 1]!]!) rank -= 1;
    if (rank === count) continue;
    if (order.length === count) order.pop();
    order.splice(rank, 0, c);
  }
  return order;
}
