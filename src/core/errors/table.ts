/** How a refusal looks from outside: an HTTP status for the gateway, an exit code for the CLI, and a way out. */
export interface ErrorEntry {
  /** HTTP status when the gateway answers with this error. */
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 503;
  /** Exit code of the CLI: 2 is a usage error, 3 a refusal. */
  readonly exit: 2 | 3;
  /** What the person who meets it should do next. */
  readonly hint: string;
}

/** Every refusal that Assay can make. One row a code; a code is never reused for another meaning. */
export const errorTable = {
  'spec-unreadable': { status: 400, exit: 2, hint: 'Give a YAML file; `assay init` writes a commented one.' },
  'spec-invalid': {
    status: 400,
    exit: 2,
    hint: 'Correct the listed fields; `assay init` writes a commented example.',
  },
  usage: { status: 400, exit: 2, hint: 'See `assay --help`.' },
  'source-missing': {
    status: 404,
    exit: 2,
    hint: 'Check the path; it is taken relative to the lifecycle file.',
  },
  'source-unreadable': {
    status: 422,
    exit: 3,
    hint: 'Check that the file is whole and of the declared format.',
  },
  'data-refused': {
    status: 422,
    exit: 3,
    hint: 'Correct the listed rows at their source, or correct the data block.',
  },
  'training-refused': {
    status: 422,
    exit: 3,
    hint: "Read the trainer's last lines; correct its parameters or data.",
  },
  irreproducible: {
    status: 409,
    exit: 3,
    hint: 'Two trainings from equal inputs differ: look for unpinned inputs, threads or clocks in the trainer.',
  },
  'gate-failed': {
    status: 422,
    exit: 3,
    hint: "Read the gate's reasons; train a better model or review the threshold.",
  },
  'gate-inconclusive': { status: 422, exit: 3, hint: 'The gate lacked power: give it more samples.' },
  rejected: { status: 403, exit: 3, hint: 'A person rejected this run; the reason is theirs.' },
  'no-worker': { status: 503, exit: 3, hint: 'Start a worker that polls the queue this stage needs.' },
  'blob-missing': { status: 404, exit: 3, hint: 'The store does not hold this digest: check the store URL.' },
  'blob-corrupt': {
    status: 422,
    exit: 3,
    hint: 'Stored bytes do not match their digest: restore them from a replica.',
  },
  'ref-invalid': {
    status: 400,
    exit: 2,
    hint: 'Use lower-case letters, digits, dots and dashes, separated by slashes.',
  },
  'model-unreadable': { status: 422, exit: 3, hint: 'Export the model again as ONNX.' },
  'operator-unsupported': { status: 422, exit: 3, hint: 'Export the model with supported operators.' },
  'release-unverified': {
    status: 403,
    exit: 3,
    hint: '`assay verify` lists every broken link of the chain.',
  },
  'key-missing': { status: 404, exit: 2, hint: 'Run `assay keys init`.' },
  'key-exists': { status: 409, exit: 2, hint: 'Keys are never overwritten: move the old ones away first.' },
  'not-found': { status: 404, exit: 2, hint: 'Check the name; `assay runs` lists what exists.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;
