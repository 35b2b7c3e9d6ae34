export { resolveSecret } from './resolve-secret.js';
