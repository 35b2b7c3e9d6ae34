import { z } from 'zod';

const iterations = (standard: number) => z.int().min(1).max(10_000).default(standard);
const restarts = (standard: number) => z.int().min(1).max(100).default(standard);

const pgdOptions = {
  steps: iterations(40),
  restarts: restarts(3),
  stepSize: z.number().gt(0).optional().describe('Default: 2.5 · epsilon / steps.'),
};
const apgdOptions = { steps: iterations(50), restarts: restarts(1) };
const coordinateOptions = {
  steps: iterations(20),
  restarts: restarts(2),
  points: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Where the adversary has no more inputs to choose from than this, all of them are tried.'),
};
const squareOptions = { queries: z.int().min(1).max(100_000).default(300).describe('A sample.') };

export const pgdSchema = z.strictObject(pgdOptions);
export const apgdSchema = z.strictObject(apgdOptions);
export const coordinateSchema = z.strictObject(coordinateOptions);
export const squareSchema = z.strictObject(squareOptions);

/** One attack of a suite with its options: to add an attack to the language of lifecycles is to add a row. */
export const attackSpecSchema = z.discriminatedUnion('attack', [
  z.strictObject({ attack: z.literal('fgsm') }),
  z.strictObject({ attack: z.literal('pgd'), ...pgdOptions }),
  z.strictObject({ attack: z.literal('apgd-ce'), ...apgdOptions }),
  z.strictObject({ attack: z.literal('apgd-dlr'), ...apgdOptions }),
  z.strictObject({ attack: z.literal('coordinate'), ...coordinateOptions }),
  z.strictObject({ attack: z.literal('transfer'), ...apgdOptions }),
  z.strictObject({ attack: z.literal('square'), ...squareOptions }),
]);

export type AttackSpec = z.infer<typeof attackSpecSchema>;
export type SuiteAttackName = AttackSpec['attack'];

/** Suites by name; the attacks are put in the order of {@link attackSpecSchema}, cheapest first, whoever lists them. */
export const namedSuites = {
  standard: ['fgsm', 'pgd', 'apgd-ce', 'apgd-dlr', 'transfer', 'square'],
  quick: ['fgsm', 'apgd-ce', 'apgd-dlr', 'transfer', 'square'],
} as const satisfies Record<string, readonly SuiteAttackName[]>;

/** What of an evasion gate's specification says which attacks are run. */
export interface SuiteChoice {
  readonly suite: keyof typeof namedSuites;
  readonly attacks?: readonly AttackSpec[] | undefined;
  readonly pgd: z.infer<typeof pgdSchema>;
  readonly apgd: z.infer<typeof apgdSchema>;
  readonly square: z.infer<typeof squareSchema>;
  readonly coordinate?: z.infer<typeof coordinateSchema> | undefined;
  /** Where the adversary respects types, every named suite runs the coordinate search. */
  readonly respects?: readonly string[] | undefined;
}

/** Every attack that a suite may hold, in the order in which suites run. */
export const suiteOrder: readonly SuiteAttackName[] = attackSpecSchema.options.map(
  ({ shape }) => shape.attack.value,
);

/** The attacks of an evasion gate, each with all of its options, in the order in which they are run. */
export function suiteOf(choice: SuiteChoice): readonly AttackSpec[] {
  const { suite, attacks, pgd, apgd, square, coordinate, respects } = choice;
  const given: Partial<Record<SuiteAttackName, object>> = {
    pgd,
    'apgd-ce': apgd,
    'apgd-dlr': apgd,
    transfer: apgd,
    ...(coordinate && { coordinate }),
    square,
  };
  const chosen =
    attacks ??
    [...namedSuites[suite], ...(respects?.includes('types') ? (['coordinate'] as const) : [])].map((attack) =>
      attackSpecSchema.parse({ attack, ...given[attack] }),
    );
  return [...chosen].sort((one, other) => suiteOrder.indexOf(one.attack) - suiteOrder.indexOf(other.attack));
}
