/** Where secrets are kept. One file a place, listed in the registry of `resolve-secret.ts`. */
export interface SecretProvider {
  /** What references begin with: `env`, `file`, … */
  readonly scheme: string;
  /** How a reference looks, for people. */
  readonly example: string;
  /**
   * Fetches a secret.
   *
   * @param name - what follows the colon of the reference
   * @returns the secret, or undefined where there is none of that name
   * @throws TransientError when the place cannot be reached
   */
  fetch(name: string): Promise<string | undefined>;
}
