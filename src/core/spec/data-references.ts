import type { DataCheckSpec } from './data-checks.js';
import type { OtherColumnSpec } from './data-columns.js';
import type { TransformSpec } from './data-transforms.js';

/** What checks and transforms say of columns that the block does not describe, or that are of the wrong type. */
export function* columnReferenceProblems(
  data: {
    readonly columns?: readonly OtherColumnSpec[] | undefined;
    readonly checks?: readonly DataCheckSpec[] | undefined;
    readonly sanitise?: readonly TransformSpec[] | undefined;
    readonly features: readonly unknown[];
    readonly reference?: string | undefined;
    readonly shape?: readonly number[] | undefined;
  },
  known: ReadonlySet<string>,
): Generator<{ path: (string | number)[]; message: string }> {
  const uses = [
    ...(data.checks ?? []).map((check, i) => ({
      path: ['checks', i],
      columns: 'columns' in check ? check.columns : undefined,
    })),
    ...(data.sanitise ?? []).map((transform, i) => ({
      path: ['sanitise', i],
      columns: 'columns' in transform ? transform.columns : undefined,
    })),
  ];
  for (const { path, columns } of uses) {
    for (const [i, column] of (columns ?? []).entries()) {
      if (!known.has(column))
        yield {
          path: [...path, 'columns', i],
          message: `expected a column of the data block, got ${JSON.stringify(column)}`,
        };
    }
  }
  const names = new Set<string>();
  for (const [i, check] of (data.checks ?? []).entries()) {
    if (check.check === 'freshness') {
      const column = data.columns?.find(({ name }) => name === check.column);
      if (column?.type !== 'timestamp')
        yield {
          path: ['checks', i, 'column'],
          message: 'expected a column of data.columns of type timestamp',
        };
    }
    if ((check.check === 'drift' || check.check === 'vector-drift') && !data.reference)
      yield {
        path: ['checks', i],
        message: 'expected data.reference, the snapshot to measure drift against',
      };
    if (check.check === 'vector-drift' && data.features.length === 0)
      yield { path: ['checks', i], message: 'expected features, of which there are none' };
    if (check.check === 'image' && (data.shape?.length ?? 0) < 3)
      yield { path: ['checks', i], message: 'expected data.shape of channels, height and width' };
    if (check.check === 'image' && check.channels && check.channels.length !== data.shape?.[0])
      yield {
        path: ['checks', i, 'channels'],
        message: 'expected one entry a channel, the first axis of data.shape',
      };
    const name = check.check === 'rule' ? check.name : undefined;
    if (name !== undefined && names.has(name))
      yield { path: ['checks', i, 'name'], message: `expected each name once, got ${name} again` };
    if (name !== undefined) names.add(name);
  }
}
