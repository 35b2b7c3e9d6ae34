import { permutation, randomStream } from '../../random/index.js';
import { gatherRows } from '../batches.js';
import type { Thief } from './attack.js';

/** Inputs to ask about, and their names. */
export interface Queries {
  readonly ids: readonly string[];
  /** Row-major [ids.length, …shape]. */
  readonly inputs: Float32Array;
}

/**
 * Inputs that look natural: first those that the thief owns, in random order, and then mixtures of two of them
 * (mixup: Zhang, Cissé, Dauphin, Lopez-Paz, ICLR 2018), which lie where classes meet.
 */
export function naturalQueries({ owned, minimum, seed }: Thief, count: number): Queries {
  const size = minimum.length;
  const order = [...permutation(randomStream(seed, 'extraction', 'order'), owned.ids.length)].slice(0, count);
  const mixed = Math.max(0, count - owned.ids.length);
  const inputs = new Float32Array(count * size);
  inputs.set(gatherRows(owned.inputs, size, order));
  for (let index = 0; index < mixed; index++) {
    const draws = randomStream(seed, 'extraction', 'mixture', index);
    const [one, other] = [draws.integer(owned.ids.length) * size, draws.integer(owned.ids.length) * size];
    const share = draws.uniform();
    const at = (order.length + index) * size;
    for (let i = 0; i < size; i++) {
      inputs[at + i] = share * owned.inputs[one + i]! + (1 - share) * owned.inputs[other + i]!;
    }
  }
  const ids = [
    ...order.map((index) => owned.ids[index]!),
    ...Array.from({ length: mixed }, (_, i) => `mixture ${i}`),
  ];
  return { ids, inputs };
}
