import { type Feeds, floatTensor } from '../../onnx/index.js';
import { randomStream } from '../../random/index.js';
import type { Problem } from './problem.js';

/** Hidden dense layers, by name, whose outputs are dropped in training; none without dropout. */
export function droppedLayers({ network, parameters }: Problem): readonly string[] {
  if (parameters.dropout === undefined) return [];
  return (network.layers ?? []).flatMap((layer) => (layer.kind === 'relu' && layer.after ? layer.after : []));
}

/**
 * Masks that keep each value with probability 1 − p, scaled by 1 / (1 − p) so that nothing changes at inference. A
 * sample's mask is drawn by (seed, epoch, sample id, layer) alone.
 *
 * Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", JMLR 2014, section 10 (inverted).
 *
 * @returns the inputs `NAME.mask` [N, width] of a step
 */
export function dropoutMasks(problem: Problem, indices: Uint32Array, epoch: number): Feeds {
  const { network, parameters, seed, train } = problem;
  const rate = parameters.dropout ?? 0;
  return Object.fromEntries(
    droppedLayers(problem).map((name) => {
      const dense = network.layers!.find((layer) => layer.kind === 'dense' && layer.name === name);
      const width = dense?.kind === 'dense' ? dense.to : 0;
      const mask = new Float32Array(indices.length * width);
      indices.forEach((index, row) => {
        const stream = randomStream(seed, 'dropout', epoch, train.ids[index]!, name);
        for (let i = 0; i < width; i++) mask[row * width + i] = stream.uniform() < rate ? 0 : 1 / (1 - rate);
      });
      return [`${name}.mask`, floatTensor([indices.length, width], mask)];
    }),
  );
}
