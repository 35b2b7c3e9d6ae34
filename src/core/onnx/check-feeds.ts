import { RefusedError } from '../errors/index.js';
import type { Axis, ValueInfo } from './model.js';
import type { Feeds } from './session.js';
import { tensorProblem } from './tensor.js';

/**
 * Checks tensors against what a model declares: all inputs and no others, types, ranks, fixed lengths, and one length
 * for each symbolic axis wherever it occurs.
 *
 * @throws RefusedError `input-invalid`, listing every problem
 */
export function checkFeeds(inputs: readonly ValueInfo[], feeds: Feeds): void {
  const problems: string[] = [];
  const lengths = new Map<string, number>();
  for (const { name, type, dims } of inputs) {
    const tensor = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    const problem = !tensor
      ? 'expected a tensor, got none'
      : tensor.type !== type
        ? `expected ${type}, got ${tensor.type}`
        : (tensorProblem(tensor) ?? shapeProblem(dims, tensor.dims, lengths));
    if (problem) problems.push(`input ${name}: ${problem}`);
  }
  const known = new Set(inputs.map(({ name }) => name));
  for (const name of Object.keys(feeds)) {
    if (!known.has(name)) {
      problems.push(`input ${name}: the model has no such input, only ${[...known].join(', ')}`);
    }
  }
  if (problems.length > 0) throw new RefusedError('input-invalid', problems.join('; '), problems);
}

function shapeProblem(
  declared: readonly Axis[],
  given: readonly number[],
  lengths: Map<string, number>,
): string | undefined {
  const shape = `expected shape [${declared.map((axis) => axis || '?').join(', ')}], got [${given.join(', ')}]`;
  if (declared.length !== given.length) return shape;
  for (const [i, axis] of declared.entries()) {
    const length = given[i]!;
    const expected = typeof axis === 'number' ? axis : (lengths.get(axis) ?? length);
    if (length !== expected)
      return typeof axis === 'number' ? shape : `${shape}, where ${axis} is ${expected}`;
    if (typeof axis === 'string' && axis) lengths.set(axis, length);
  }
  return undefined;
}
