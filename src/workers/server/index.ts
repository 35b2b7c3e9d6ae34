export { type ConnectionSettings, connectionSettings } from './connection-settings.js';
export { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from './embedded-server.js';
export { findExecutable } from './find-executable.js';
export { registerSearchAttributes } from './search-attributes.js';
export { type RunningTemporal, startTemporal } from './start-temporal.js';
