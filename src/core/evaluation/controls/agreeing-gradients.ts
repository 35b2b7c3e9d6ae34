import { clopperPearson } from '../../statistics/index.js';
import type { Finding } from '../judgement.js';
import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/**
 * Do gradients say where the function goes, over short steps and over steps of the ball's radius? Under a patch the radius is
 * the whole range, over which honest models bend as they like.
 */
export const agreeingGradients: Control = {
  name: 'gradients agree with finite differences',
  needsGradients: true,
  judge({ rows, confidence, patch }) {
    const checked = rows.flatMap(({ gradient }) => gradient ?? []);
    const expected = Math.min(controlLimits.gradientSamples, rows.length);
    if (checked.length < expected) return [notRun('gradient check', checked.length, expected)];
    const vanished = checked.filter(({ cosine }) => cosine === null).length;
    // More than half of all gradients gone is no accident of rounding.
    if (clopperPearson(vanished, checked.length, confidence)[0] > 0.5) {
      return [
        {
          status: 'fail',
          reason: `Gradient masking: the gradient is zero at ${vanished} of ${checked.length} samples, so attacks that follow it show nothing.`,
        },
      ];
    }
    const judge = (name: 'cosine' | 'ballCosine', steps: string): readonly Finding[] => {
      const { least, share } = controlLimits[name];
      const agreeing = checked.filter(({ [name]: cosine }) => cosine !== null && cosine >= least).length;
      if (agreeing >= share * checked.length) return [];
      return [
        inconclusive(
          `Gradients agree with finite differences over ${steps} (cosine at least ${least}) at ${agreeing} of ${checked.length} samples, expected ${share * 100} %`,
        ),
      ];
    };
    return [...judge('cosine', 'short steps'), ...(patch ? [] : judge('ballCosine', 'steps of the radius'))];
  },
};
