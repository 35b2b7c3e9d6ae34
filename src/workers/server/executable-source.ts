/** What looking for a server's executable depends on: a value, so that tests can make a machine without one. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/** A path to the Temporal CLI, or why this source has none and what would help. */
export type FoundExecutable =
  | { readonly ok: true; readonly executable: string }
  | { readonly ok: false; readonly reason: string };

/** One place where the Temporal CLI may come from. */
export interface ExecutableSource {
  /** For people: `the PATH`. */
  readonly name: string;
  /** Never rejects for what a user can mend: that is a reason. */
  find(machine: Machine): Promise<FoundExecutable>;
}
