export { canonicalJson, digestOf, digestOfJson } from './digest.js';
export type { RefVersion, Store, TreeEntry } from './store.js';
