export { authenticOutcomes } from './authentic-outcomes.js';
export { canonicalJson, digestOf, digestOfJson } from './digest.js';
export { fileBytes } from './durable-files.js';
export { openStore } from './open.js';
export type { RefVersion, Store, TreeEntry } from './store.js';
