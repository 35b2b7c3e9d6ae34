import type { Recipe } from './train-digits.js';

/** A clean twin: a model that is trained honestly, and as robust as its attacks say. */
export interface Twin extends Recipe {
  readonly name: string;
}

const small = { epochs: 25, batchSize: 32, learningRate: 0.004 } as const;
const mlp = (...hidden: readonly number[]) => ({ kind: 'mlp', hidden });
const cnn = (channels: readonly number[], more: object = {}) => ({
  kind: 'cnn',
  channels,
  stride: channels.map(() => 2),
  ...more,
});
const ball = { norm: 'linf', epsilon: 0.1 } as const;
const pgd = { method: 'pgd', ...ball, steps: 4, ramp: { epochs: 4 } } as const;
const trades = { method: 'trades', ...ball, steps: 4, ramp: { epochs: 4 } } as const;
const fast = { method: 'fgsm-rs', ...ball, ramp: { epochs: 4 } } as const;

/** Seeds, sizes, kinds of network and ways to train, all of them of the built-in trainer. */
export const twins: readonly Twin[] = [
  { network: mlp(24) },
  { network: mlp(32), weightDecay: 0.05 },
  { network: mlp(32), dropout: 0.3, epochs: 40 },
  { network: mlp(24), labelSmoothing: 0.1 },
  { network: mlp(24, 16) },
  { network: { kind: 'linear' }, epochs: 40 },
  { network: cnn([4, 8]) },
  { network: cnn([6, 8], { hidden: [16] }) },
  { network: cnn([6], { stride: [1], pool: [true] }), weightDecay: 0.05 },
  { network: cnn([4, 8], { kernel: [4, 4], padding: [1, 1] }), labelSmoothing: 0.1 },
  { network: mlp(32), adversarial: pgd },
  { network: mlp(24, 16), adversarial: pgd },
  { network: cnn([6, 12]), adversarial: pgd },
  { network: cnn([6, 12], { hidden: [16] }), adversarial: pgd },
  { network: cnn([6, 8], { hidden: [24] }), adversarial: { ...pgd, steps: 7 }, dropout: 0.2 },
  { network: mlp(32), adversarial: trades },
  { network: cnn([6, 12]), adversarial: trades },
  { network: cnn([8, 8], { hidden: [16] }), adversarial: { ...trades, beta: 3 }, weightDecay: 0.01 },
  { network: mlp(32), adversarial: fast },
  { network: cnn([6, 12]), adversarial: fast },
  { network: cnn([6, 12], { hidden: [16] }), adversarial: fast, labelSmoothing: 0.05 },
  { network: mlp(24), adversarial: { method: 'gradient-penalty', dual: 'linf', weight: 0.3 } },
  { network: cnn([6, 12]), adversarial: { method: 'gaussian', sigma: 0.25 } },
  { network: mlp(24), adversarial: { method: 'ibp', ...ball, ramp: { start: 1, epochs: 12 } } },
].map((parameters, i) => ({
  name: nameOf(i, parameters),
  seed: 100 + i,
  parameters: { ...small, ...parameters },
}));

function nameOf(
  index: number,
  { network, adversarial, ...others }: { network: { kind: string }; adversarial?: { method: string } },
): string {
  const number = String(index + 1).padStart(2, '0');
  return [number, network.kind, adversarial?.method ?? 'plain', ...Object.keys(others).map(dashed)].join('-');
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
