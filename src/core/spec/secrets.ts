/** A secret found in a text: its kind and where it starts, never what it is. */
export interface SecretFinding {
  /** For people, with an article: `a private key`. */
  readonly kind: string;
  /** Offset in UTF-16 units. */
  readonly offset: number;
}

/** Formats whose issuers made them recognisable, so that a match is a secret and not a coincidence. */
const secretPatterns: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  { kind: 'a private key', pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/g },
  { kind: 'an API key of Assay', pattern: /\bassay_[\w-]{43}/g },
  { kind: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { kind: 'a Google API key', pattern: /\bAIza[\w-]{35}/g },
  { kind: 'a Google OAuth token', pattern: /\bya29\.[\w-]{20,}/g },
  { kind: 'an Azure storage key', pattern: /\bAccountKey=[A-Za-z0-9+/=]{20,}/g },
  { kind: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/g },
  { kind: 'a GitLab token', pattern: /\bglpat-[\w-]{20,}/g },
  { kind: 'a Slack token', pattern: /\bxox[abeoprs]-[\w-]{10,}/g },
  { kind: 'a Hugging Face token', pattern: /\bhf_[A-Za-z0-9]{30,}/g },
  { kind: 'an API key', pattern: /\bsk-[\w-]{20,}/g },
  { kind: 'a payment key', pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g },
  { kind: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}/g },
  { kind: 'a PyPI token', pattern: /\bpypi-[\w-]{50,}/g },
  { kind: 'a JSON Web Token', pattern: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g },
  { kind: 'a URL with credentials', pattern: /:\/\/[^\s/@:"']{0,256}:[^\s/@"']{1,256}@/g },
];

/** Every secret of a known format in a text, comments included, in order. */
export function findSecrets(text: string): readonly SecretFinding[] {
  return secretPatterns
    .flatMap(({ kind, pattern }) => [...text.matchAll(pattern)].map(({ index }) => ({ kind, offset: index })))
    .sort((a, b) => a.offset - b.offset);
}

/** Whether a text holds a secret of a known format, and so must never be quoted. */
export function holdsSecret(text: string): boolean {
  return findSecrets(text).length > 0;
}

const secretWords = new Set([
  ...['password', 'passwords', 'passwd', 'passphrase', 'pwd', 'secret', 'secrets', 'credential'],
  ...['credentials', 'token', 'apikey'],
]);
const secretPairs = new Set([
  'api key',
  'access key',
  'private key',
  'secret key',
  'account key',
  'auth key',
]);

/** Whether a field, flag or variable of this name is meant for a secret: `dbPassword`, `api-key`, `HF_TOKEN`. */
export function namesSecret(name: string): boolean {
  const words = name
    .slice(0, 256)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1);
  return last !== undefined && (secretWords.has(last) || secretPairs.has(words.slice(-2).join(' ')));
}

/**
 * Whether a value may stand where a secret is meant: a reference that names where the secret is kept
 * (`env:NAME`, `file:path`, `aws-sm:name`, `vault:path`), or what cannot be one, such as a tokenizer's `<pad>` or `[MASK]`.
 */
export function isSafeInSecretField(value: unknown): boolean {
  if (typeof value !== 'string') return typeof value !== 'number';
  return (
    value === '' ||
    /^(?:env:[A-Za-z_]\w*|(?:file|aws-sm|vault):\S+)$/.test(value) ||
    /^(?:<[^<>]*>|\[[A-Z]*\])$/.test(value)
  );
}

/**
 * The position in a command line at which a secret is given: the value after `--password`, or the whole of
 * `--token=…` and `PASSWORD=…`.
 */
export function secretArguments(command: readonly unknown[]): readonly number[] {
  return command.flatMap((argument, index) => {
    if (typeof argument !== 'string') return [];
    const [name = '', ...value] = argument.split('=');
    if (value.length > 0) {
      return namesSecret(name) && !isSafeInSecretField(value.join('=')) ? [index] : [];
    }
    const next = command[index + 1];
    const isFlag = argument.startsWith('-') && namesSecret(argument);
    return isFlag && next !== undefined && !isSafeInSecretField(next) ? [index + 1] : [];
  });
}
