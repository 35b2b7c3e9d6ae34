import { z } from 'zod';
import {
  type CertificationMethodName,
  certificationMethods,
  smoothingCertificationSchema,
} from './certification.js';
import {
  apgdSchema,
  attackSpecSchema,
  coordinateSchema,
  fabSchema,
  patchSuites,
  patchThreatSchema,
  pgdSchema,
  queriesSchema,
  randomisedSchema,
  suiteNames,
  suiteOf,
  targetedSchema,
} from './evasion-suite.js';
import { extractionFields } from './extraction.js';
import { nameSchema } from './name.js';

/** How an adversary's change to an input is measured: its largest value, its Euclidean length, or the sum of its values. */
export const norms = ['linf', 'l2', 'l1'] as const;
export type Norm = (typeof norms)[number];

/** What an adversary can be believed to respect of what the data block says of the features. */
export const adversaryLimits = ['types', 'immutable'] as const;
export type AdversaryLimit = (typeof adversaryLimits)[number];

const proportion = z.number().min(0).max(1);
const shared = {
  name: nameSchema.optional().describe('Default: the kind of gate. Names are unique.'),
  confidence: z
    .number()
    .gt(0.5)
    .lt(1)
    .default(0.95)
    .describe('Of the interval: Clopper–Pearson, or the confidence sequence of a gate that may stop early.'),
};

const accuracyGateSchema = z.strictObject({
  gate: z.literal('accuracy'),
  minimum: proportion.describe(
    'Passes when the whole interval lies at or above it, fails when it lies below.',
  ),
  minimumPerClass: proportion.optional().describe('Fails when the interval of any class lies below it.'),
  ...shared,
});

const evasionGateSchema = z.strictObject({
  gate: z.literal('evasion'),
  norm: z.enum(norms),
  epsilon: z.number().gt(0).describe('Radius of the ball, in the units that the model sees.'),
  respects: z
    .array(z.enum(adversaryLimits))
    .min(1)
    .refine((limits) => new Set(limits).size === limits.length, { message: 'expected each limit once' })
    .optional()
    .describe(
      'What the adversary is believed to respect of what the data block says. `types`: integers stay whole, `values` and `oneHot` hold; `immutable`: what has `mutable: false` stays. A weaker adversary than without.',
    ),
  patch: patchThreatSchema
    .optional()
    .describe(
      'The adversary changes one rectangle of the image and nothing else, as a sticker does; inside it, each value may move by epsilon: the whole range leaves them free. Needs the norm linf.',
    ),
  minimum: proportion.describe('The least robust accuracy.'),
  samples: z.int().min(1).default(1000).describe('Test samples drawn; all of them when there are fewer.'),
  earlyStop: z
    .boolean()
    .default(false)
    .describe(
      'Stop attacking as soon as the answer is clear. The interval is then one that holds at all times at once (a confidence sequence), and so wider.',
    ),
  suite: z
    .enum(suiteNames)
    .default('standard')
    .describe(
      '`quick` leaves out what rarely finds more; `thorough` tries at least as hard as AutoAttack, and takes many times as long. The controls are the same.',
    ),
  attacks: z
    .array(attackSpecSchema)
    .min(1)
    .optional()
    .describe('The attacks to run, each at most once, instead of a named suite.'),
  pgd: pgdSchema.prefault({}).describe('Projected gradient descent, where a named suite runs it.'),
  apgd: apgdSchema
    .prefault({})
    .describe(
      'Auto-PGD, on the cross-entropy, on the difference of logits ratio and through the parent, where a named suite runs it. It sets its own step size.',
    ),
  coordinate: coordinateSchema
    .optional()
    .describe('Greedy coordinate search, which a named suite runs where the adversary respects types.'),
  targeted: targetedSchema
    .prefault({})
    .describe(
      'Auto-PGD and FAB towards one other class after the other, with the steps of `apgd` and `fab`, where a named suite runs them.',
    ),
  fab: fabSchema
    .prefault({})
    .describe(
      'The fast adaptive boundary attack, where a named suite runs it. It looks for the nearest error.',
    ),
  square: queriesSchema
    .prefault({})
    .describe('The Square attack, which uses no gradients, where a named suite runs it.'),
  hopSkipJump: queriesSchema
    .prefault({})
    .describe('HopSkipJump, which is told nothing but the predicted class, where a named suite runs it.'),
  randomised: randomisedSchema
    .optional()
    .describe(
      'For a model that draws at random, of which the gate else can say nothing. Believes that the adversary neither knows nor chooses the draws.',
    ),
  ...shared,
});

const certifiedGateSchema = z.strictObject({
  gate: z.literal('certified'),
  method: z
    .enum(certificationMethods)
    .describe(
      '`smoothing` certifies the smoothed classifier, which must be what is served: see training.smoothing. `interval` and `crown` certify the model itself; `crown` proves more, and takes longer.',
    ),
  norm: z.enum(norms).describe('`smoothing` certifies in l2 only.'),
  epsilon: z
    .number()
    .gt(0)
    .describe('The radius that a certificate must reach, in the units that the model sees.'),
  minimum: proportion.describe(
    'The least certified accuracy: right, with a certificate of at least epsilon.',
  ),
  samples: z.int().min(1).default(500).describe('Test samples drawn; all of them when there are fewer.'),
  smoothing: smoothingCertificationSchema.optional().describe('For the method smoothing, which needs it.'),
  ...shared,
});

const certifiedPoisoningGateSchema = z.strictObject({
  gate: z.literal('certified-poisoning'),
  radius: z
    .int()
    .min(1)
    .describe('How many training samples may be added, taken away or relabelled without changing an answer.'),
  minimum: proportion.describe(
    'The least certified accuracy: right, with a certificate of at least the radius.',
  ),
  samples: z.int().min(1).default(1000).describe('Test samples drawn; all of them when there are fewer.'),
  ...shared,
});

const extractionGateSchema = z.strictObject({
  gate: z.literal('extraction'),
  ...extractionFields,
  ...shared,
});

export const gateSchema = z.discriminatedUnion('gate', [
  accuracyGateSchema,
  evasionGateSchema,
  certifiedGateSchema,
  certifiedPoisoningGateSchema,
  extractionGateSchema,
]);

/** What a model must prove before it is released. */
export const gatesSchema = z
  .array(gateSchema)
  .min(1)
  .superRefine((gates, context) => {
    const names = gates.map(gateName);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index) {
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `expected unique names, got ${name} twice`,
        });
      }
    }
    for (const [index, gate] of gates.entries()) {
      const problem = gate.gate === 'certified' ? methodProblem(gate) : undefined;
      if (problem) context.addIssue({ code: 'custom', ...problem, path: [index, ...problem.path] });
    }
    for (const [index, gate] of gates.entries()) {
      const problem = gate.gate === 'evasion' ? patchProblem(gate) : undefined;
      if (problem) context.addIssue({ code: 'custom', ...problem, path: [index, ...problem.path] });
      const listed = gate.gate === 'evasion' ? (gate.attacks ?? []).map(({ attack }) => attack) : [];
      for (const [position, attack] of listed.entries()) {
        if (listed.indexOf(attack) !== position) {
          context.addIssue({
            code: 'custom',
            path: [index, 'attacks', position, 'attack'],
            message: `expected each attack once, got ${attack} twice`,
          });
        }
      }
    }
  });

export type GateSpec = z.infer<typeof gateSchema>;
export type AccuracyGateSpec = z.infer<typeof accuracyGateSchema>;
export type EvasionGateSpec = z.infer<typeof evasionGateSchema>;
export type CertifiedGateSpec = z.infer<typeof certifiedGateSchema>;
export type CertifiedPoisoningGateSpec = z.infer<typeof certifiedPoisoningGateSchema>;
export type ExtractionGateSpec = z.infer<typeof extractionGateSchema>;

/** Norms in which each method certifies. */
export const certifiedNorms: Readonly<Record<CertificationMethodName, readonly Norm[]>> = {
  smoothing: ['l2'],
  interval: norms,
  crown: norms,
};

/** What of an evasion gate does not go with a patch, or not without one. */
export function patchProblem({
  norm,
  respects,
  patch,
  attacks = [],
}: EvasionGateSpec): { readonly path: readonly string[]; readonly message: string } | undefined {
  const keepsToPatch = (name: string): boolean => patchSuites.thorough.some((each) => each === name);
  const strange = attacks.find(({ attack }) => keepsToPatch(attack) !== (patch !== undefined));
  if (strange) {
    return {
      path: ['attacks'],
      message: `expected attacks ${patch ? 'with' : 'without'} a patch, got ${strange.attack}`,
    };
  }
  if (!patch) return undefined;
  if (norm !== 'linf') return { path: ['norm'], message: `expected linf with a patch, got ${norm}` };
  return respects && { path: ['respects'], message: 'expected an adversary with a patch to respect nothing' };
}

/** What of a gate its method cannot do, or lacks. */
function methodProblem({
  method,
  norm,
  smoothing,
}: CertifiedGateSpec): { readonly path: readonly string[]; readonly message: string } | undefined {
  const known = certifiedNorms[method];
  if (!known.includes(norm)) {
    return {
      path: ['norm'],
      message: `expected ${known.join(' or ')} for the method ${method}, got ${norm}`,
    };
  }
  if ((method === 'smoothing') === (smoothing !== undefined)) return undefined;
  return {
    path: ['smoothing'],
    message: `expected ${smoothing ? 'no' : 'a'} smoothing block for the method ${method}`,
  };
}

/** The name under which a gate's verdict and statement are known. */
export function gateName(gate: GateSpec): string {
  return gate.name ?? gate.gate;
}

/**
 * Whether a gate attacks through the parent of the model: the one that it was fine-tuned from, or that it would replace.
 * No other gate depends on what that is.
 */
export function attacksThroughParent(gate: GateSpec): boolean {
  return gate.gate === 'evasion' && suiteOf(gate).some(({ attack }) => attack === 'transfer');
}
