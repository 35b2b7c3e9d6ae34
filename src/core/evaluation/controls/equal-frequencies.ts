import { equalFrequencies } from '../../statistics/index.js';
import { type Control, type ControlEvidence, inconclusive } from './control.js';
import { controlLimits } from './limits.js';

/**
 * Does a randomised model draw its answers anew each time, from what does not change? It is asked about each sample twice, as
 * often each time. A model that counts its requests, or remembers them, is none whose mean can be attacked.
 */
export const steadyFrequencies: Control = {
  name: 'equal requests get equal shares of answers',
  needsGradients: false,
  of: 'randomised',
  judge(evidence) {
    const chance = chanceOfDifference(evidence);
    return chance >= controlLimits.frequencies
      ? []
      : [
          inconclusive(
            `Asked the same a second time, the model is right more or less often than chance explains (p = ${chance.toExponential(1)})`,
          ),
        ];
  },
};

/** How likely two rounds of answers to the same requests differ as they do, if the model is steady. */
export function chanceOfDifference({ rows, randomised }: ControlEvidence): number {
  const asked = randomised?.answers ?? 1;
  return equalFrequencies(
    rows.flatMap(({ answers }) => (answers ? [{ one: answers.first, other: answers.again }] : [])),
    { one: asked, other: asked },
  );
}

/** How likely the served model and the attacked graph are right as often as they are, if they are the same model. */
export function chanceOfAttacked({ rows, randomised }: ControlEvidence): number {
  const asked = randomised?.answers ?? 1;
  return equalFrequencies(
    rows.flatMap(({ answers }) =>
      answers && answers.attacked !== null
        ? [{ one: answers.first + answers.again, other: answers.attacked }]
        : [],
    ),
    { one: 2 * asked, other: asked },
  );
}
