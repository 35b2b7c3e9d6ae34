import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/** Is what is attacked what is served? */
export const sameModel: Control = {
  name: 'the attacked graph is the served model',
  needsGradients: false,
  judge({ rows }) {
    const differences = rows.flatMap(({ logitsDifference }) => logitsDifference ?? []);
    const largest = differences.reduce((most, difference) => Math.max(most, difference), 0);
    return [
      ...(differences.length < rows.length
        ? [notRun('comparison of logits', differences.length, rows.length)]
        : []),
      ...(largest > controlLimits.logitsDifference
        ? [
            inconclusive(
              `The logits of the attacked graph differ from the served ones by ${largest.toExponential(1)} of the largest logit, expected at most ${controlLimits.logitsDifference}`,
            ),
          ]
        : []),
    ];
  },
};
