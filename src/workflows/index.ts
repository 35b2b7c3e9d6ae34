export { endpoint } from './endpoint.js';
export { lifecycle } from './lifecycle.js';
