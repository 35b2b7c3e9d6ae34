export { canonicalJson, digestOf, digestOfJson } from './digest.js';
export { openStore } from './open.js';
export type { RefVersion, Store, TreeEntry } from './store.js';
