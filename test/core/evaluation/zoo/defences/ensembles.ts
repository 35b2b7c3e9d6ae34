import { attribute, type GraphBuilder } from '../../../../../src/core/onnx/index.js';
import { add, scale } from '../../../../../src/core/onnx/operators/emit.js';
import { addNetwork, assembled, type BrokenDefence, type Parts } from '../defence.js';
import { rounded } from './rounding.js';

/** Several networks at once, or few units at a time. */
export const ensembles: readonly BrokenDefence[] = [
  {
    name: 'rounded probabilities of an ensemble',
    source: 'Sen, Ravindran, Raghunathan, "EMPIR", ICLR 2020; broken by Tramèr et al., NeurIPS 2020',
    caughtBy: 'gradients agree with finite differences',
    build: (parts) =>
      joint(parts, (b, logits) => rounded(b, b.op('Softmax', [logits], { axis: attribute.int(1) })[0], 5)),
    surrogate: (parts) => joint(parts, (_, logits) => logits),
  },
  {
    name: 'votes of an ensemble',
    source: 'The same, one vote a network',
    caughtBy: 'gradients agree with finite differences',
    build: (parts) => joint(parts, (b, logits) => b.op('Hardmax', [logits], { axis: attribute.int(1) })[0]),
    surrogate: (parts) => joint(parts, (_, logits) => logits),
  },
  {
    name: 'k winners take all',
    source: 'Xiao, Zhong, Zheng, "k-winners-take-all", ICLR 2020; broken by Tramèr et al., NeurIPS 2020',
    caughtBy: 'its attacks',
    build: ({ winners }) => winners,
  },
];

function joint({ plain, others }: Parts, say: (b: GraphBuilder, logits: string) => string): Uint8Array {
  return assembled((b, x) => {
    const voices = [plain, ...others].map((network) => say(b, addNetwork(b, network, x)));
    return scale(
      b,
      voices.reduce((sum, voice) => add(b, sum, voice)),
      1 / voices.length,
    );
  });
}
