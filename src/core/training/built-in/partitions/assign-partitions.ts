import { createHmac } from 'node:crypto';
import type { Dataset } from '../../../data/index.js';
import type { PartitionsSpec } from '../../../spec/index.js';
import { gatherRows } from '../batch.js';

/**
 * Cuts training samples into disjoint partitions, each of which is a function of the samples that fall into it and of nothing
 * else: not of their ids, not of the order of rows, and not of how many others there are. So whoever adds or takes away a sample
 * changes one partition.
 *
 * A sample falls where HMAC-SHA-256 of its values, keyed by the seed, sends it. The label is not hashed: whoever changes one
 * changes one partition too, where it would be two if the label chose the partition. Inside a partition samples are sorted by the
 * digest of their values and by label, and get ids made of those, since methods name their draws by ids; samples that are equal
 * in both are told apart by a number, and it does not matter which is which.
 *
 * Source: Levine, Feizi, "Deep partition aggregation: provable defenses against general poisoning attacks", ICLR 2021, section 3.1.
 *
 * @returns `count` partitions, of which some may be empty
 */
export function assignPartitions(
  { inputs, labels }: Dataset,
  { count, seed }: PartitionsSpec,
): readonly Dataset[] {
  const size = inputs.length / Math.max(1, labels.length);
  const members: { readonly digest: string; readonly label: number; readonly index: number }[][] = Array.from(
    { length: count },
    () => [],
  );
  labels.forEach((label, index) => {
    const digest = digestOfValues(inputs.subarray(index * size, (index + 1) * size), seed);
    // 48 of 256 bits: exact in a double, and far more than any count, so that no partition is favoured.
    members[Number.parseInt(digest.slice(0, 12), 16) % count]!.push({ digest, label, index });
  });
  return members.map((unsorted) => {
    const sorted = unsorted.sort((one, other) =>
      one.digest === other.digest ? one.label - other.label : one.digest < other.digest ? -1 : 1,
    );
    const seen = new Map<string, number>();
    return {
      ids: sorted.map(({ digest, label }) => {
        const content = `${digest}:${label}`;
        const copies = seen.get(content) ?? 0;
        seen.set(content, copies + 1);
        return `${content}:${copies}`;
      }),
      inputs: gatherRows(
        inputs,
        size,
        Uint32Array.from(sorted, ({ index }) => index),
      ),
      labels: Uint32Array.from(sorted, ({ label }) => label),
    };
  });
}

/** Of the values as a model sees them, float32 and little-endian, in hex. */
function digestOfValues(values: Float32Array, seed: number): string {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, 4 * i);
  });
  return createHmac('sha256', `assay partitions ${seed}`).update(bytes).digest('hex');
}
