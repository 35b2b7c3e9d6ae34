export type { Dataset, Split } from './dataset.js';
export { type IngestOptions, type IngestResult, ingest } from './ingest.js';
export type { DataProblem, DataRule } from './problem.js';
export { inputRange, readManifest, readSplit } from './read-snapshot.js';
export { readDescribedTable } from './samples/read-described-table.js';
export { readSamples } from './samples/read-samples.js';
export type { SampleOptions, SampleSet } from './samples/sample-set.js';
export { type SnapshotManifest, snapshotManifestSchema } from './snapshot.js';
