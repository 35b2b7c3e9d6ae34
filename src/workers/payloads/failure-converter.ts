import { DefaultFailureConverter } from '@temporalio/common';

/** Messages and stack traces hold data, too: they are sealed with everything else. Loaded by its path, also into the workflow sandbox. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
