import { type SpecProblem, safeParseLifecycle } from '../../../src/core/spec/index.js';

/** Planted credentials: made up, and split so that no scanner mistakes this file for a leak. */
const planted: readonly (readonly [kind: string, secret: string])[] = [
  ['a private key', ['-----BEGIN EC PRIVATE', ' KEY-----MHcCAQEEIO'].join('')],
  ['an AWS access key', ['AKIA', 'Q3EGUVN7ABCDEFGH'].join('')],
  ['a Google API key', ['AIza', 'SyD3xampleExampleExampleExampleExamp'].join('')],
  ['a GitHub token', ['ghp_', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('')],
  ['a GitLab token', ['glpat-', 'abcdefghijklmnopqrst'].join('')],
  ['a Hugging Face token', ['hf_', 'abcdefghijklmnopqrstuvwxyzABCDEF'].join('')],
  ['a Slack token', ['xoxb-', '123456789012-abcdefghij'].join('')],
  ['a JSON Web Token', ['eyJhbGciOiJI', 'eyJzdWIiOiIx', 'c2lnbmF0dXJl'].join('.')],
  ['a URL with credentials', ['s3://user', 'hunter2@bucket/data.csv'].join(':')],
];

const lifecycle = (program: string, source = 'digits.csv') => `apiVersion: assay/v1
name: digits
data:
  source: ${JSON.stringify(source)}
  id: id
  label: { column: digit, classes: [0, 1] }
  features: [{ columns: [p0], type: integer, minimum: 0, maximum: 16 }]
training:
  trainer: program
  ${program}
gates: [{ gate: accuracy, minimum: 0.9 }]
release: { endpoint: digits }
`;
const problemsOf = (text: string): readonly SpecProblem[] => {
  const parsed = safeParseLifecycle(text);
  return parsed.ok ? [] : parsed.problems;
};

describe('a secret written into a lifecycle', () => {
  it.each(planted)('is refused and never shown: %s', (kind, secret) => {
    const places = [
      lifecycle('command: [train]', secret),
      lifecycle(`command: [train, ${JSON.stringify(secret)}]`),
      lifecycle(`command: [train] # ${secret}`),
      lifecycle(`command: [train]\n  parameters: { ${JSON.stringify(secret)}: 1 }`),
      lifecycle(`command: [train]\n  ${JSON.stringify(secret)}: 1`),
      lifecycle(`command: [train]\n  gpu: ${JSON.stringify(secret)}`),
      lifecycle(`command: [train]\n  seed: [ ${JSON.stringify(secret)}`),
      lifecycle(`command: [train]\n  seed: *${secret}`),
    ];
    for (const text of places) {
      const problems = problemsOf(text);
      expect(problems.map(({ got }) => got)).toContain(kind);
      expect(JSON.stringify(problems)).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });

  it.each([
    ['command: [train, --password, hunter2]', 'training.command[2]'],
    ['command: [train, --api-key=hunter2]', 'training.command[1]'],
    ['command: [env, HF_TOKEN=hunter2, train]', 'training.command[1]'],
    ['command: [train]\n  parameters: { dbPassword: hunter2 }', 'training.parameters.dbPassword'],
    ['command: [train]\n  parameters: { s3: { secret_key: 12345 } }', 'training.parameters.s3.secret_key'],
    ['command: [train]\n  parameters: { secrets: { a: hunter2 } }', 'training.parameters.secrets.a'],
    ['command: [train]\n  password: hunter2', 'training.password'],
  ])('is found by the name of its field: %s', (program, path) => {
    const problems = problemsOf(lifecycle(program));
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|12345/);
  });

  it.each([
    'command: [train, --password, "env:DB_PASSWORD", --token=file:/run/secrets/token]',
    'command: [train, --tokenizer, bert]\n  parameters: { max_tokens: 512, pad_token: "<pad>", mask_token: "[MASK]" }',
    'command: [train]\n  parameters: { password: "env:DB_PASSWORD", apiKey: null, tokenizer: bert, author: me }',
    'command: [train, "https://example.org:8080/a@b", "sk-short"]',
  ])('is not seen where there is none: %s', (program) => {
    expect(problemsOf(lifecycle(program))).toEqual([]);
  });
});
