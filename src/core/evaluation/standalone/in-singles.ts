import type { Classifier } from '../../attacks/index.js';

/** A classifier that is asked about one sample at a time, for models whose batch axis has length 1. */
export function inSingles(classifier: Classifier): Classifier {
  const { classes, ratioGradient } = classifier;
  return {
    ...classifier,
    logits: oneByOne(classifier.logits),
    async lossGradient(inputs, labels, n) {
      const [loss, gradient, logits] = await rows(n, async (index) => {
        const one = await classifier.lossGradient(part(inputs, n, index), part(labels, n, index), 1);
        return [one.loss, one.gradient, one.logits];
      });
      const empty = new Float32Array();
      return { loss: loss ?? empty, gradient: gradient ?? empty, logits: logits ?? empty };
    },
    async logitGradient(inputs, weights, n) {
      const [gradient] = await rows(n, async (index) => [
        await classifier.logitGradient(
          part(inputs, n, index),
          weights.slice(index * classes, (index + 1) * classes),
          1,
        ),
      ]);
      return gradient ?? new Float32Array();
    },
    ...(ratioGradient && {
      async ratioGradient(inputs, labels, targets, n) {
        const [gradient, logits] = await rows(n, async (index) => {
          const target = targets && part(targets, n, index);
          const one = await ratioGradient(part(inputs, n, index), part(labels, n, index), target, 1);
          return [one.gradient, one.logits];
        });
        return { gradient: gradient ?? new Float32Array(), logits: logits ?? new Float32Array() };
      },
    }),
  };
}

/** Asks for the logits of one sample at a time. */
export function oneByOne(logits: Classifier['logits']): Classifier['logits'] {
  return async (inputs, n) => {
    const [joinedLogits] = await rows(n, async (index) => [await logits(part(inputs, n, index), 1)]);
    return joinedLogits ?? new Float32Array();
  };
}

async function rows(
  n: number,
  row: (index: number) => Promise<readonly Float32Array[]>,
): Promise<readonly Float32Array[]> {
  const results: (readonly Float32Array[])[] = [];
  for (let index = 0; index < n; index++) results.push(await row(index));
  return (results[0] ?? []).map((_, position) => joined(results.map((result) => result[position]!)));
}

function part<Values extends Float32Array | Uint32Array>(values: Values, n: number, index: number): Values {
  return values.slice((index * values.length) / n, ((index + 1) * values.length) / n) as Values;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, { length: more }) => length + more, 0));
  let at = 0;
  for (const each of parts) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}
