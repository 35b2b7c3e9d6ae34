import { z } from 'zod';

const perLayer = (lowest: number, highest: number) =>
  z.array(z.int().min(lowest).max(highest)).min(1).max(6).optional();

/** The networks that the built-in trainer trains. */
export const networkSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('linear') }),
  z.strictObject({ kind: z.literal('mlp'), hidden: z.array(z.int().min(1).max(4096)).min(1).max(8) }),
  z.strictObject({
    kind: z.literal('cnn'),
    channels: z
      .array(z.int().min(1).max(512))
      .min(1)
      .max(6)
      .describe('Output channels of each convolution; each is followed by ReLU.'),
    kernel: perLayer(1, 15).describe('Side of the square kernel of each convolution; default: 3.'),
    stride: perLayer(1, 8).describe('Stride of each convolution; default: 1.'),
    padding: perLayer(0, 14).describe(
      'Zeros on each side before each convolution; default: (kernel − 1) / 2, rounded down.',
    ),
    pool: z
      .array(z.boolean())
      .optional()
      .describe('Whether 2×2 max-pooling follows each convolution; default: none.'),
    hidden: z.array(z.int().min(1).max(4096)).max(4).default([]),
  }),
  z.strictObject({
    kind: z.literal('onnx'),
    file: z
      .string()
      .min(1)
      .describe('A classifier to fine-tune, relative to the lifecycle file. Batch norm stays as it is.'),
    trainable: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Names of the float initialisers to train, * for anything; default: weights and biases of dense, convolution, normalisation and recurrent layers.',
      ),
  }),
]);

export type NetworkSpec = z.infer<typeof networkSchema>;
