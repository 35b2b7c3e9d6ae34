import { type Control, notRun } from './control.js';

/** Was every attack of the policy run on every sample that it had to be run on? */
export const wholeSuite: Control = {
  name: 'the whole suite was run',
  needsGradients: false,
  judge({ rows, suite }) {
    const right = rows.filter(({ correct }) => correct);
    const attacked = right.filter(
      ({ attacks }) => attacks && suite.every(({ attack }) => attacks[attack] !== undefined),
    );
    return attacked.length < right.length ? [notRun('suite of attacks', attacked.length, right.length)] : [];
  },
};
