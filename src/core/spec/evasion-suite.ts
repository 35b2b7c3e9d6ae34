import { z } from 'zod';

const iterations = (standard: number) => z.int().min(1).max(10_000).default(standard);
const restarts = (standard: number) => z.int().min(1).max(100).default(standard);

const pgdOptions = {
  steps: iterations(40),
  restarts: restarts(3),
  stepSize: z.number().gt(0).optional().describe('Default: 2.5 · epsilon / steps.'),
  momentum: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('How much of its direction so far each step keeps (MI-FGSM). Default: none.'),
  targets: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('Climbs towards so many other classes, the likeliest first. Default: away from the label.'),
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
const fabOptions = { steps: iterations(20), restarts: restarts(1) };
const patchOptions = {
  steps: iterations(40),
  locations: z
    .int()
    .min(1)
    .max(100_000)
    .default(10)
    .describe('Places tried, those first where a linear model would lose most.'),
};
const targets = z.int().min(1).max(1000).default(3).describe('Other classes to try, the likeliest first.');
const queryOptions = { queries: z.int().min(1).max(100_000).default(300).describe('A sample.') };

export const pgdSchema = z.strictObject(pgdOptions);
export const apgdSchema = z.strictObject(apgdOptions);
export const coordinateSchema = z.strictObject(coordinateOptions);
export const targetedSchema = z.strictObject({ targets });
export const fabSchema = z.strictObject(fabOptions);
export const queriesSchema = z.strictObject(queryOptions);

const side = z.int().min(1).max(100_000);

/** An adversary who covers one rectangle of an image, and how hard the attacks with it try. */
export const patchThreatSchema = z.strictObject({
  height: side.describe('Of the rectangle, in pixels.'),
  width: side,
  ...patchOptions,
  ...queryOptions,
});

/** How a model is measured whose equal requests get different answers. */
export const randomisedSchema = z.strictObject({
  draws: z
    .int()
    .min(1)
    .max(1000)
    .default(16)
    .describe('Attacks climb the mean of so many draws (expectation over transformation, EOT).'),
  answers: z
    .int()
    .min(5)
    .max(999)
    .refine((count) => count % 2 === 1, { message: 'expected an odd number, of which there is a majority' })
    .default(21)
    .describe('A sample is right, or broken, as most of so many answers to the same request are.'),
});
export type Randomised = z.infer<typeof randomisedSchema>;

/** One attack of a suite with its options: to add an attack to the language of lifecycles is to add a row. */
export const attackSpecSchema = z.discriminatedUnion('attack', [
  z.strictObject({ attack: z.literal('fgsm') }),
  z.strictObject({ attack: z.literal('pgd'), ...pgdOptions }),
  z.strictObject({ attack: z.literal('apgd-ce'), ...apgdOptions }),
  z.strictObject({ attack: z.literal('apgd-dlr'), ...apgdOptions }),
  z.strictObject({ attack: z.literal('apgd-t'), ...apgdOptions, targets }),
  z.strictObject({ attack: z.literal('fab'), ...fabOptions }),
  z.strictObject({ attack: z.literal('fab-t'), ...fabOptions, targets }),
  z.strictObject({ attack: z.literal('coordinate'), ...coordinateOptions }),
  z.strictObject({ attack: z.literal('transfer'), ...apgdOptions }),
  z.strictObject({ attack: z.literal('square'), ...queryOptions }),
  z.strictObject({ attack: z.literal('hop-skip-jump'), ...queryOptions }),
  z.strictObject({ attack: z.literal('sticker'), ...patchOptions }),
  z.strictObject({ attack: z.literal('patch'), ...patchOptions }),
  z.strictObject({ attack: z.literal('patch-search'), ...queryOptions }),
]);

export type AttackSpec = z.infer<typeof attackSpecSchema>;
export type SuiteAttackName = AttackSpec['attack'];

/**
 * Suites by name; the attacks are put in the order of {@link attackSpecSchema}, cheapest first, whoever lists them. `thorough`
 * has the budgets of AutoAttack (Croce, Hein, ICML 2020) at least.
 */
export const namedSuites = {
  standard: ['fgsm', 'pgd', 'apgd-ce', 'apgd-dlr', 'apgd-t', 'fab-t', 'transfer', 'square', 'hop-skip-jump'],
  quick: ['fgsm', 'apgd-ce', 'apgd-dlr', 'transfer', 'square'],
  thorough: ['fgsm', 'pgd', 'apgd-ce', 'apgd-dlr', 'apgd-t', 'fab-t', 'transfer', 'square', 'hop-skip-jump'],
} as const satisfies Record<string, readonly SuiteAttackName[]>;

/** The same where the adversary covers a patch: no other attack keeps to it. */
export const patchSuites = {
  standard: ['sticker', 'patch', 'patch-search'],
  quick: ['patch', 'patch-search'],
  thorough: ['sticker', 'patch', 'patch-search'],
} as const satisfies Record<SuiteName, readonly SuiteAttackName[]>;

export type SuiteName = keyof typeof namedSuites;
export const suiteNames = Object.keys(namedSuites) as [SuiteName, ...SuiteName[]];

/** What the attacks of a suite do at least, whatever less a gate asks of them. */
const leastOptions: Readonly<
  Partial<Record<SuiteName, Readonly<Partial<Record<SuiteAttackName, Readonly<Record<string, number>>>>>>>
> = {
  thorough: {
    'apgd-ce': { steps: 100 },
    'apgd-dlr': { steps: 100 },
    'apgd-t': { steps: 100, targets: 9 },
    'fab-t': { steps: 100, targets: 9 },
    square: { queries: 5000 },
    'hop-skip-jump': { queries: 5000 },
    sticker: { steps: 100, locations: 20 },
    patch: { steps: 100, locations: 20 },
    'patch-search': { queries: 5000 },
  },
};

/** What of an evasion gate's specification says which attacks are run. */
export interface SuiteChoice {
  readonly suite: SuiteName;
  readonly attacks?: readonly AttackSpec[] | undefined;
  readonly pgd: z.infer<typeof pgdSchema>;
  readonly apgd: z.infer<typeof apgdSchema>;
  readonly coordinate?: z.infer<typeof coordinateSchema> | undefined;
  /** Where the adversary respects types, every named suite runs the coordinate search. */
  readonly respects?: readonly string[] | undefined;
  /** Where the adversary covers a patch, suites are other ones. */
  readonly patch?: z.infer<typeof patchThreatSchema> | undefined;
  readonly targeted: z.infer<typeof targetedSchema>;
  readonly fab: z.infer<typeof fabSchema>;
  readonly square: z.infer<typeof queriesSchema>;
  readonly hopSkipJump: z.infer<typeof queriesSchema>;
}

/** Every attack that a suite may hold, in the order in which suites run. */
export const suiteOrder: readonly SuiteAttackName[] = attackSpecSchema.options.map(
  ({ shape }) => shape.attack.value,
);

/** The attacks of an evasion gate, each with all of its options, in the order in which they are run. */
export function suiteOf(choice: SuiteChoice): readonly AttackSpec[] {
  const { suite, attacks, respects, patch } = choice;
  const names = patch
    ? patchSuites[suite]
    : [...namedSuites[suite], ...(respects?.includes('types') ? (['coordinate'] as const) : [])];
  const chosen = attacks ?? names.map((attack) => withOptions(attack, choice));
  return [...chosen].sort((one, other) => suiteOrder.indexOf(one.attack) - suiteOrder.indexOf(other.attack));
}

function withOptions(attack: SuiteAttackName, choice: SuiteChoice): AttackSpec {
  const { suite, pgd, apgd, targeted, fab, square, hopSkipJump, coordinate = {}, patch } = choice;
  const placed = patch && { steps: patch.steps, locations: patch.locations };
  const asked = {
    fgsm: {},
    pgd,
    'apgd-ce': apgd,
    'apgd-dlr': apgd,
    'apgd-t': { ...apgd, ...targeted },
    fab,
    'fab-t': { ...fab, ...targeted },
    coordinate,
    transfer: apgd,
    square,
    'hop-skip-jump': hopSkipJump,
    sticker: placed ?? {},
    patch: placed ?? {},
    'patch-search': patch ? { queries: patch.queries } : {},
  } satisfies Record<SuiteAttackName, object>;
  const options: Record<string, number | undefined> = { ...asked[attack] };
  for (const [name, least] of Object.entries(leastOptions[suite]?.[attack] ?? {})) {
    options[name] = Math.max(least, options[name] ?? 0);
  }
  return attackSpecSchema.parse({ attack, ...options });
}
