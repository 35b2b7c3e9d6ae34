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
    hint: 'Check the path; inside a lifecycle file it is taken relative to that file.',
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
  'data-inconclusive': {
    status: 422,
    exit: 3,
    hint: 'There are too few rows to tell: give more of them, or allow for more in the listed checks.',
  },
  'data-revoked': {
    status: 403,
    exit: 3,
    hint: 'Train on other data: `assay data lineage DIGEST` shows what came of this.',
  },
  'snapshot-invalid': {
    status: 422,
    exit: 3,
    hint: 'The folder is not a whole snapshot: fetch it again from the store, or ingest again.',
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
  'gate-inconclusive': {
    status: 422,
    exit: 3,
    hint: 'The gate lacked the power to decide: give it more samples.',
  },
  'verdict-forged': {
    status: 403,
    exit: 3,
    hint: 'The evidence does not give this verdict: run the gate again on a worker that you trust.',
  },
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
  'store-invalid': { status: 400, exit: 2, hint: 'Give a store URL such as file:///var/lib/assay.' },
  'digest-invalid': { status: 400, exit: 2, hint: 'Give sha256: and 64 lower-case hex digits.' },
  'digest-ambiguous': { status: 400, exit: 2, hint: 'Give more digits of the digest.' },
  'record-corrupt': {
    status: 422,
    exit: 3,
    hint: 'A stored record does not match its own digest: restore it from a replica.',
  },
  'tree-invalid': {
    status: 422,
    exit: 3,
    hint: 'A folder may hold regular files with plain UTF-8 names only; remove links and special files.',
  },
  'folder-exists': {
    status: 409,
    exit: 2,
    hint: 'Nothing is overwritten: move the folder away or name another.',
  },
  'model-unreadable': { status: 422, exit: 3, hint: 'Export the model again as ONNX.' },
  'model-unsafe': {
    status: 422,
    exit: 3,
    hint: '`assay scan model.onnx` lists everything that is wrong with the file, and what to do; scan, attack and certify take --allow-domain.',
  },
  'model-unfit': {
    status: 422,
    exit: 3,
    hint: 'Export a classifier with one float32 input [N, …] and one float32 output [N, classes].',
  },
  'operator-unsupported': { status: 422, exit: 3, hint: 'Export the model with supported operators.' },
  'release-unverified': {
    status: 403,
    exit: 3,
    hint: '`assay verify` lists every broken link of the chain.',
  },
  'request-invalid': {
    status: 400,
    exit: 2,
    hint: 'Send an Open Inference Protocol V2 request; GET /v2/models/NAME tells names, types and shapes.',
  },
  'input-invalid': {
    status: 422,
    exit: 2,
    hint: "Send finite values inside the range that the model's card declares.",
  },
  'batch-too-large': { status: 413, exit: 2, hint: 'Send fewer samples a request.' },
  'body-too-large': { status: 413, exit: 2, hint: 'Send a smaller body: fewer samples a request.' },
  'media-type-unsupported': { status: 415, exit: 2, hint: 'Send JSON with content-type: application/json.' },
  'prediction-undefined': {
    status: 422,
    exit: 3,
    hint: 'The model has no finite answer for this input: send another, and tell its owner.',
  },
  'tls-invalid': {
    status: 422,
    exit: 2,
    hint: 'Give --tls-certificate the certificate and its issuers, --tls-key its private key, both PEM.',
  },
  unauthenticated: {
    status: 401,
    exit: 2,
    hint: 'Send `Authorization: Bearer` with a key or a token that this gateway knows.',
  },
  forbidden: { status: 403, exit: 3, hint: 'Ask the operator to allow this endpoint for your key.' },
  'endpoint-unknown': { status: 404, exit: 2, hint: 'Check the name of the endpoint and the revision.' },
  'endpoint-not-ready': {
    status: 503,
    exit: 3,
    hint: 'No release of this endpoint verified yet: the operator sees why at /admin/endpoints.',
  },
  'route-unknown': {
    status: 404,
    exit: 2,
    hint: 'Check the method and the path; GET /v2 says what this server is.',
  },
  'client-blocked': {
    status: 403,
    exit: 3,
    hint: 'Your requests look like those of an attack: ask the operator, or tomorrow (UTC).',
  },
  'budget-spent': {
    status: 429,
    exit: 3,
    hint: 'Ask again when Retry-After says so; where it says nothing, ask the operator for a larger budget.',
  },
  overloaded: {
    status: 503,
    exit: 3,
    hint: 'Wait for as long as Retry-After says, then send the request again.',
  },
  unavailable: {
    status: 503,
    exit: 3,
    hint: 'Something that this server depends on failed: send the request again.',
  },
  'clients-invalid': {
    status: 400,
    exit: 2,
    hint: 'Correct the clients file: a JSON list of { name, sha256, prefix, endpoints, createdAt }.',
  },
  'token-issuers-invalid': {
    status: 400,
    exit: 2,
    hint: 'Correct the file: a JSON list of { name, issuer, audience, keys: { file } or { url } }.',
  },
  'payload-keys-invalid': {
    status: 400,
    exit: 2,
    hint: 'Set ASSAY_PAYLOAD_KEYS to ID=REFERENCE,… where each secret is 32 random bytes: `openssl rand -base64 32`.',
  },
  'payload-sealed': {
    status: 403,
    exit: 3,
    hint: 'Add the key of that id to ASSAY_PAYLOAD_KEYS: one that no longer seals still opens.',
  },
  'payload-tampered': {
    status: 422,
    exit: 3,
    hint: 'Do not use it. Find out who can write to the Temporal server or its database.',
  },
  'state-invalid': {
    status: 400,
    exit: 2,
    hint: 'Restore the state file. Deleting it lets this gateway serve an older revision once.',
  },
  'key-invalid': {
    status: 422,
    exit: 2,
    hint: 'Give a PEM file with one P-256, P-384 or P-521 key; `assay keys init` makes one.',
  },
  'trust-policy-invalid': { status: 422, exit: 2, hint: 'Correct the listed fields of the trust policy.' },
  'bundle-invalid': {
    status: 422,
    exit: 3,
    hint: 'The statement is not a Sigstore bundle v0.3 signed with a key: fetch it again, or sign it again.',
  },
  'signature-count': { status: 403, exit: 3, hint: 'A statement carries one signature: sign it again.' },
  'signature-invalid': {
    status: 403,
    exit: 3,
    hint: 'The statement was changed after it was signed, or another key signed it: do not use it.',
  },
  'key-unknown': {
    status: 403,
    exit: 3,
    hint: 'Add the public key to the trust policy, if its owner is to be trusted.',
  },
  'note-invalid': {
    status: 422,
    exit: 3,
    hint: 'Give a signed checkpoint as `assay audit export` writes it.',
  },
  'log-unverified': {
    status: 403,
    exit: 3,
    hint: '`assay audit verify` lists what is wrong with the log; after a change of keys, `assay audit take-over`.',
  },
  'certificate-invalid': {
    status: 403,
    exit: 3,
    hint: 'Renew the certificate, or name its root in the trust policy, if its authority is to be trusted.',
  },
  'identity-unknown': {
    status: 403,
    exit: 3,
    hint: 'Name this identity, letter by letter, in the trust policy, if it is to be trusted.',
  },
  'key-locked': {
    status: 422,
    exit: 2,
    hint: 'Name where the passphrase is kept: `--passphrase env:NAME` or `--passphrase file:PATH`.',
  },
  'secret-missing': {
    status: 404,
    exit: 2,
    hint: 'Set the secret at the place that the reference names, and give the reference, never the secret.',
  },
  'key-not-allowed': {
    status: 403,
    exit: 3,
    hint: 'Sign with a key that has this role, or give the key the role in the trust policy.',
  },
  'payload-type': { status: 422, exit: 3, hint: 'Only in-toto statements are read: sign one.' },
  'statement-invalid': {
    status: 422,
    exit: 3,
    hint: 'The signed statement does not have the shape of its type: sign it again with this version.',
  },
  'statement-type': {
    status: 422,
    exit: 3,
    hint: 'A statement of another type stands where this one belongs: check the digests of the chain.',
  },
  'model-mismatch': {
    status: 422,
    exit: 3,
    hint: 'The signature is for other files than these: do not use them.',
  },
  'inputs-mismatch': { status: 422, exit: 3, hint: 'Sign records and files of one and the same run.' },
  'chain-unverified': {
    status: 403,
    exit: 3,
    hint: 'Correct every listed link; a summary is only signed over a chain that holds.',
  },
  'key-missing': { status: 404, exit: 2, hint: 'Run `assay keys init`.' },
  'key-exists': { status: 409, exit: 2, hint: 'Keys are never overwritten: move the old ones away first.' },
  'request-unsigned': {
    status: 401,
    exit: 3,
    hint: 'Sign the request: `assay sign-request` writes what to send, and every command signs by itself.',
  },
  'request-replayed': { status: 409, exit: 3, hint: 'Each request counts once: sign another.' },
  'request-expired': {
    status: 403,
    exit: 3,
    hint: 'Sign the request again, and check the clock of the machine that signs.',
  },
  'request-mismatch': {
    status: 409,
    exit: 3,
    hint: 'The request is for something else, or what it is about has changed: look, and sign another.',
  },
  'role-missing': {
    status: 403,
    exit: 3,
    hint: 'Ask one of those who have the role, or have the trust policy give it to you.',
  },
  'person-unknown': {
    status: 403,
    exit: 3,
    hint: 'Name the owner of this key under `people` in the trust policy: `assay trust draft --person`.',
  },
  'person-mismatch': { status: 403, exit: 3, hint: 'Sign in your own name, as the trust policy has it.' },
  'key-revoked': { status: 403, exit: 3, hint: 'The key was revoked: sign with another.' },
  'trust-policy-expired': {
    status: 403,
    exit: 3,
    hint: 'Renew the trust policy: `assay trust draft --expires`, then `assay trust sign`.',
  },
  'duties-not-separate': {
    status: 403,
    exit: 3,
    hint: 'Somebody else has to approve: not who asked for the run.',
  },
  'approval-repeated': {
    status: 409,
    exit: 3,
    hint: 'One person counts once: somebody else has to approve too.',
  },
  'endpoint-frozen': { status: 409, exit: 3, hint: 'An admin lifts the freeze: `assay unfreeze ENDPOINT`.' },
  'update-refused': {
    status: 409,
    exit: 3,
    hint: 'See `assay status` for what the run or endpoint waits for.',
  },
  'revision-outdated': {
    status: 409,
    exit: 3,
    hint: 'A newer revision is published already: try again, and the endpoint counts on from it.',
  },
  'server-running': {
    status: 409,
    exit: 2,
    hint: 'Run `assay down` first, or choose another --state folder.',
  },
  'server-missing': { status: 503, exit: 2, hint: 'Run `assay up`, or set TEMPORAL_ADDRESS.' },
  'file-exists': { status: 409, exit: 2, hint: 'Files are never overwritten: give another name.' },
  'server-executable-missing': {
    status: 503,
    exit: 2,
    hint: 'Install the Temporal CLI, or Python 3 with pip; or set TEMPORAL_ADDRESS to a server that runs.',
  },
  'server-settings-invalid': {
    status: 400,
    exit: 2,
    hint: 'Correct the TEMPORAL_… variables, or the profile in the Temporal configuration file.',
  },
  'not-found': { status: 404, exit: 2, hint: 'Check the name; `assay runs` lists what exists.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;
