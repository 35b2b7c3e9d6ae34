export { connectionSettings } from './connection-settings.js';
export { startEmbeddedServer } from './embedded-server.js';
export { findExecutable } from './find-executable.js';
export { freePorts } from './free-port.js';
export { registerSearchAttributes } from './search-attributes.js';
export { startTemporal } from './start-temporal.js';
