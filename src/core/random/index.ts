export { type NormalField, normalField } from './normal-field.js';
export { type Counter, type Key, philox4x32 } from './philox.js';
export { permutation, type RandomStream, randomStream } from './stream.js';
