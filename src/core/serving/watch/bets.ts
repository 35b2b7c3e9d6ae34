/** What has been seen of a client: the logarithm of each bet's wealth. */
export type Bets = Float64Array;

/** How often the other hypotheses say that an event happens, between its honest rate and always. */
const SHARES = [0.1, 0.3, 0.6, 0.9];

export function noBets(): Bets {
  return new Float64Array(SHARES.length);
}

/**
 * Bets against the hypothesis that an event happens in at most a share `rate` of requests. The mean wealth is an e-process: if the
 * hypothesis holds, the probability that it *ever* exceeds 1 / α is at most α, however long one looks (Ville's inequality; Ramdas,
 * Grünwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 2023).
 *
 * @param rate - in (0, 1)
 * @returns the bets after one more request
 */
export function placeBets(bets: Bets, happened: boolean, rate: number): Bets {
  return bets.map((wealth, index) => {
    const other = rate + (1 - rate) * SHARES[index]!;
    return wealth + Math.log(happened ? other / rate : (1 - other) / (1 - rate));
  });
}

/** Logarithm of the mean wealth. */
export function evidenceOf(bets: Bets): number {
  const largest = bets.reduce((most, wealth) => Math.max(most, wealth));
  const sum = bets.reduce((total, wealth) => total + Math.exp(wealth - largest), 0);
  return largest + Math.log(sum / bets.length);
}
