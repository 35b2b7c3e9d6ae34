import { type Control, inconclusive, notRun } from './control.js';
import { chanceOfAttacked } from './equal-frequencies.js';
import { controlLimits } from './limits.js';

/** Is what is attacked what is served? Of a randomised model, are its answers right as often? */
export const sameModel: Control = {
  name: 'the attacked graph is the served model',
  needsGradients: false,
  judge(evidence) {
    const { rows } = evidence;
    const differences = rows.flatMap(({ logitsDifference }) => logitsDifference ?? []);
    const largest = differences.reduce((most, difference) => Math.max(most, difference), 0);
    const drawn = rows.filter(({ answers }) => answers && answers.attacked !== null).length;
    const compared = differences.length + drawn;
    const chance = drawn === 0 ? 1 : chanceOfAttacked(evidence);
    return [
      ...(compared < rows.length ? [notRun('comparison of logits', compared, rows.length)] : []),
      ...(chance < controlLimits.frequencies
        ? [
            inconclusive(
              `The attacked graph is right more or less often than the served model, beyond chance (p = ${chance.toExponential(1)})`,
            ),
          ]
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
