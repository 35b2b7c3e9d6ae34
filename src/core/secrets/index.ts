export { type KeyRing, keyRing, readKeyRing } from './key-ring.js';
export { resolveSecret } from './resolve-secret.js';
