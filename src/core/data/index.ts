export type { Dataset, Split } from './dataset.js';
export { type SnapshotManifest, snapshotManifestSchema } from './snapshot.js';
