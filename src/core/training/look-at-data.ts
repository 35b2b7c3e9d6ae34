import type { Dataset } from '../data/index.js';
import { gatherRows } from './built-in/batch.js';
import { crossValidate } from './cross-validate.js';
import { type ShallowNetwork, type ShallowTrainingOptions, trainShallow } from './shallow-network.js';

/** What models say of data that are looked at for tampering; each is trained when first asked for, and once. */
export interface DataModels {
  /** What models say of samples that they were not trained on: see `crossValidate`. */
  outOfSample(): Promise<Float64Array>;
  /** A network that learned all of the data. */
  embedding(): Promise<ShallowNetwork>;
  /** A network that learned some of the samples, by index. */
  embeddingOf(included: readonly number[]): Promise<ShallowNetwork>;
}

/** Models of data, for those who look for tampering in them. */
export function modelsOf(data: Dataset, options: ShallowTrainingOptions): DataModels {
  let probabilities: Promise<Float64Array> | undefined;
  let network: Promise<ShallowNetwork> | undefined;
  const size = data.inputs.length / Math.max(1, data.ids.length);
  return {
    outOfSample() {
      probabilities ??= crossValidate(data, options);
      return probabilities;
    },
    embedding() {
      network ??= trainShallow(data, options);
      return network;
    },
    embeddingOf(included) {
      const indices = Uint32Array.from(included);
      const part = {
        ids: included.map((index) => data.ids[index]!),
        inputs: gatherRows(data.inputs, size, indices),
        labels: indices.map((index) => data.labels[index]!),
      };
      return trainShallow(part, options, data.ids.length);
    },
  };
}
