import { factOfTensor } from './facts-of-tensors.js';
import type { Fact, Operator } from './operator.js';

/** A constant written as a node, as exporters do. */
export const constant: Operator = {
  opType: 'Constant',
  infer: (at): readonly Fact[] => {
    const [name, value] = Object.entries(at.node.attributes)[0] ?? [];
    switch (name) {
      case 'value':
        if (value?.kind === 'tensor') return [factOfTensor(value.value)];
        break;
      case 'value_int':
        if (value?.kind === 'int') return [{ type: 'int64', dims: [], elements: [value.value] }];
        break;
      case 'value_ints':
        if (value?.kind === 'ints') {
          return [{ type: 'int64', dims: [value.value.length], elements: value.value }];
        }
        break;
      case 'value_float':
        if (value?.kind === 'float') return [{ type: 'float', dims: [], elements: [value.value] }];
        break;
      case 'value_floats':
        if (value?.kind === 'floats') {
          return [{ type: 'float', dims: [value.value.length], elements: value.value }];
        }
        break;
    }
    return at.refuse(`a constant given by ${name ?? 'nothing'} is not supported`);
  },
  backward: 'constant',
};
