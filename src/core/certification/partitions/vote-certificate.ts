import { NO_CLASS } from '../../attacks/index.js';

/** What votes prove of one prediction. */
export interface VoteCertificate {
  /** The class with most votes, the first of equals. */
  readonly predicted: number;
  /**
   * However at most so many training samples are added, taken away or given another label, the prediction stays. A whole number;
   * 0: nothing is certified.
   */
  readonly radius: number;
}

/**
 * The certificate of deep partition aggregation: ⌊(n_c − max over c′ ≠ c of (n_c′ + [c′ < c])) / 2⌋ for the predicted class c.
 *
 * A poisoned sample changes one voter, which at worst takes one vote from the class in front and gives it to another. The class in
 * front must keep more votes than the classes before it, and as many as those behind it, since the first of equals wins. It holds if
 * each voter was trained on its own partition and depends on no other sample.
 *
 * Source: Levine, Feizi, "Deep partition aggregation: provable defenses against general poisoning attacks", ICLR 2021, theorem 1.
 *
 * @param votes - how many voters chose each class: whole numbers, none negative
 */
export function voteCertificate(votes: ArrayLike<number>): VoteCertificate {
  let predicted = NO_CLASS;
  for (let c = 0; c < votes.length; c++) if (predicted < 0 || votes[c]! > votes[predicted]!) predicted = c;
  if (predicted < 0) return { predicted, radius: 0 };
  let rival = 0;
  for (let c = 0; c < votes.length; c++) {
    if (c !== predicted) rival = Math.max(rival, votes[c]! + (c < predicted ? 1 : 0));
  }
  return { predicted, radius: Math.max(0, Math.floor((votes[predicted]! - rival) / 2)) };
}
