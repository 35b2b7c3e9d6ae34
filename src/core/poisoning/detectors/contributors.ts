import { judgeContributors } from '../../crowd/index.js';
import type { Detector } from '../detector.js';

/** Nobody counts for more than this share of all votes while contributors are judged. */
const INFLUENCE = 0.05;

/** Contributors whom the majority of the others contradicts more often than honest ones are: see {@link judgeContributors}. */
export const contributors: Detector = {
  name: 'contributors',
  looksFor: 'contributors whom the others contradict too often',
  finds: 'contributors',
  lacks: ({ crowd }) =>
    crowd ? undefined : "expected votes, as a lifecycle's data.label.crowd describes them",
  async detect({ crowd }, { falseAlarmRate }) {
    const judged = judgeContributors(crowd!.votes, INFLUENCE, falseAlarmRate);
    const { a, b } = judged.honest;
    return {
      ids: crowd!.contributors,
      scores: judged.pValues.map((pValue) => 1 - pValue),
      // What is as rare as the rate is suspect.
      threshold: 1 - falseAlarmRate - 1e-12,
      reason: (who) =>
        `expected errors as most have them, ${((100 * a) / (a + b)).toFixed(1)} % on average, got ${(100 * judged.errorRates[who]!).toFixed(1)} % of ${judged.votes[who]} votes`,
      figures: { 'error rate of honest contributors': a / (a + b) },
    };
  },
};
