import { RefusedError } from '../errors/index.js';
import type { GateSubject } from './gate.js';
import type { ModelFile } from './standalone/model-file.js';

/**
 * The parent as a subject of gates opens it.
 *
 * @param shape - of one sample of the attacked model
 * @param classes - how many the attacked model has
 * @throws RefusedError `model-unfit` when the parent has other classes; as `openModelFile` does when it takes other samples
 */
export function parentOpener(
  parent: ModelFile,
  shape: readonly number[],
  classes: number,
): NonNullable<GateSubject['openParent']> {
  return async (...how) => {
    const classifier = await parent.openClassifier(shape, ...how);
    if (classifier.classes === classes) return classifier;
    await classifier.close();
    throw new RefusedError(
      'model-unfit',
      `expected a parent of ${classes} classes as the model has, got one of ${classifier.classes}`,
    );
  };
}
