import type { Verdict } from '../spec/index.js';
import { clopperPearson, type Interval } from '../statistics/index.js';

/** One look at a question: what it says of the model, in a sentence. */
export interface Finding {
  readonly status: Verdict['status'];
  readonly reason: string;
}

const severity = ['pass', 'inconclusive', 'fail'] as const satisfies readonly Verdict['status'][];

/** The status of several findings together: any `fail` fails, any `inconclusive` keeps a pass from standing. */
export function worstStatus(findings: readonly Finding[]): Verdict['status'] {
  return severity[Math.max(...findings.map(({ status }) => severity.indexOf(status)))]!;
}

/** A proportion with its interval. */
export interface Proportion {
  readonly estimate: number;
  readonly interval: Interval;
  readonly confidence: number;
  readonly n: number;
}

export function proportion(
  successes: number,
  n: number,
  confidence: number,
  intervalOf: (successes: number, n: number, confidence: number) => Interval = clopperPearson,
): Proportion {
  return {
    estimate: n === 0 ? 0 : successes / n,
    interval: intervalOf(successes, n, confidence),
    confidence,
    n,
  };
}

/**
 * Holds a proportion against its minimum: `pass` when the whole interval lies at or above it, `fail` when the whole
 * interval lies below, and `inconclusive` when the samples cannot tell.
 *
 * @param metric - what the proportion is of, as a sentence begins: `Robust accuracy`
 */
export function judgeMinimum(metric: string, measured: Proportion, minimum: number): Finding {
  const [lower, upper] = measured.interval;
  const subject = `${metric} ${describe(measured)}`;
  if (lower >= minimum) {
    return { status: 'pass', reason: `${subject}, lies wholly at or above the minimum ${figure(minimum)}.` };
  }
  if (upper < minimum) {
    return { status: 'fail', reason: `${subject}, lies wholly below the minimum ${figure(minimum)}.` };
  }
  return {
    status: 'inconclusive',
    reason: `${subject}, contains the minimum ${figure(minimum)}: more samples are needed to tell.`,
  };
}

/**
 * Holds a proportion against its maximum, as {@link judgeMinimum} does against a minimum.
 *
 * @param metric - what the proportion is of, as a sentence begins
 */
export function judgeMaximum(metric: string, measured: Proportion, maximum: number): Finding {
  const [lower, upper] = measured.interval;
  const subject = `${metric} ${describe(measured)}`;
  if (upper <= maximum) {
    return { status: 'pass', reason: `${subject}, lies wholly at or below the maximum ${figure(maximum)}.` };
  }
  if (lower > maximum) {
    return { status: 'fail', reason: `${subject}, lies wholly above the maximum ${figure(maximum)}.` };
  }
  return {
    status: 'inconclusive',
    reason: `${subject}, contains the maximum ${figure(maximum)}: more samples are needed to tell.`,
  };
}

/** `0.7120, 95 % interval [0.6633, 0.7593] of 359 samples` */
export function describe({ estimate, interval, confidence, n }: Proportion): string {
  const level = Number((confidence * 100).toFixed(4));
  return `${figure(estimate)}, ${level} % interval [${figure(interval[0])}, ${figure(interval[1])}] of ${n} samples`;
}

/** A number as people read it: four decimals. */
export function figure(value: number): string {
  return value.toFixed(4);
}
