import type { Control } from './control.js';

/** Does the model answer equal requests equally? One that draws at random is a moving target: a missed shot shows little. */
export const repeatableAnswers: Control = {
  name: 'equal requests get equal answers',
  needsGradients: false,
  of: 'deterministic',
  judge({ rows }) {
    const moving = rows.filter(({ repeatable }) => !repeatable).length;
    return moving === 0
      ? []
      : [
          {
            status: 'inconclusive',
            reason: `The model answers equal requests differently at ${moving} of ${rows.length} samples: it is randomised, and only an attack on the mean of its answers (expectation over transformation: \`randomised\`, or --eot) would show its robustness.`,
          },
        ];
  },
};
