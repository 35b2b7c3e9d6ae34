import { pickMap } from '../linear-map.js';
import type { BoundedOperator, Rule, Use } from './operator.js';

/**
 * Operators that only move numbers. Where to is not worked out here: the runtime is asked, by moving the numbers 1, 2, 3, …
 * through the very node.
 */
const movement = (opType: string): BoundedOperator => ({
  opType,
  isMovement: true,
  bind: (use) => use.node.outputs.map((_, i) => moved(use, i)),
});

function moved(use: Use, output: number): Rule {
  const { sources, constants } = use.movement(output);
  let from = 0;
  const terms = use.node.inputs.flatMap((name, input) => {
    if (!name || !use.isLive(input)) return [];
    const size = use.dims(input).reduce((a, b) => a * b, 1);
    const first = from;
    from += size;
    const own = sources.map((source) => (source >= first && source < first + size ? source - first : -1));
    return [{ input, map: pickMap(own, size) }];
  });
  return { kind: 'affine', terms, bias: constants, roundings: 0 };
}

export const movements: readonly BoundedOperator[] = [
  'Cast',
  'Concat',
  'DepthToSpace',
  'Dropout',
  'Expand',
  'Flatten',
  'Gather',
  'Identity',
  'Pad',
  'Reshape',
  'Slice',
  'SpaceToDepth',
  'Split',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
].map(movement);
