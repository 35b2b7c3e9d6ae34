import { attribute } from '../graph-builder.js';
import { reshapeLike, vector } from './emit.js';
import type { Application, Operator } from './operator.js';
import { type Window, windowOf } from './window.js';

const geometry = (at: Application): Window =>
  windowOf(at, at.ints('kernel_shape') ?? at.refuse('expected a kernel_shape'));

/**
 * The gradient of a window goes to the element that MaxPool's own `Indices` name (flat over N·C·H·W). Comparing x with
 * its maximum instead would give it to every tied element.
 */
export const maxPool: Operator = {
  opType: 'MaxPool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const result = { type, dims: [...dims.slice(0, 2), ...geometry(at).outputSizes] };
    return [result, { type: 'int64', dims: result.dims }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      if (at.int('storage_order', 0) !== 0) at.refuse('column-major indices are not supported');
      const window = geometry(at);
      const overlap = window.kernel.some(
        (length, i) => window.dilations[i]! * (length - 1) + 1 > window.strides[i]!,
      );
      // Scattering with addition came with operator set 16; windows apart never share an element.
      if (overlap && at.opset < 16) at.refuse('overlapping windows need operator set 16');
      const [, indices] = b.op('MaxPool', [at.x(0)], at.node.attributes, 2);
      const flat = (value: string): string => b.op('Reshape', [value, vector(b, [-1])])[0];
      const [length] = b.op('Size', [at.x(0)]);
      const [zeros] = b.op('ConstantOfShape', [b.op('Reshape', [length, vector(b, [1])])[0]]);
      const [scattered] = b.op('ScatterElements', [zeros, flat(indices), flat(dY)], {
        axis: attribute.int(0),
        ...(overlap && { reduction: attribute.string('add') }),
      });
      return reshapeLike(b, scattered, at.x(0));
    },
  ],
};
