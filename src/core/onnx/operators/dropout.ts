import type { Application, Operator } from './operator.js';

function refuseTraining(at: Application): void {
  if (at.has(2) && at.elements(2)[0] !== 0) at.refuse('training mode is not supported');
}

/** At inference, the identity. */
export const dropout: Operator = {
  opType: 'Dropout',
  infer: (at) => {
    refuseTraining(at);
    return [at.fact(0), { type: 'bool', dims: at.fact(0).dims }];
  },
  backward: (_, dY) => [() => dY, undefined, undefined],
};
