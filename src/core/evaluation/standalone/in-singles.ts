import type { Classifier } from '../../attacks/index.js';

/** A classifier that is asked about one sample at a time, for models whose batch axis has length 1. */
export function inSingles(classifier: Classifier): Classifier {
  const { classes } = classifier;
  const rows = async (
    n: number,
    row: (index: number) => Promise<readonly Float32Array[]>,
  ): Promise<readonly Float32Array[]> => {
    const results: (readonly Float32Array[])[] = [];
    for (let index = 0; index < n; index++) results.push(await row(index));
    return (results[0] ?? []).map((_, part) => joined(results.map((result) => result[part]!)));
  };
  const part = <Values extends Float32Array | Uint32Array>(
    values: Values,
    n: number,
    index: number,
  ): Values => values.slice((index * values.length) / n, ((index + 1) * values.length) / n) as Values;

  return {
    ...classifier,
    async logits(inputs, n) {
      const [logits] = await rows(n, async (index) => [await classifier.logits(part(inputs, n, index), 1)]);
      return logits ?? new Float32Array();
    },
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
  };
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
