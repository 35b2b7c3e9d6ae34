import type { z } from 'zod';
import type { Digest, GateSpec, ModelCard, ReleaseRecord, Verdict } from '../../spec/index.js';
import type { TreeEntry } from '../../store/index.js';
import type { dataPredicate } from '../statements/data.js';
import type { provenancePredicate } from '../statements/provenance.js';
import type { SourceDescription } from '../statements/source.js';

/** A package that took part in the training, pinned to a version. */
export interface PinnedPackage {
  readonly ecosystem: 'npm' | 'pypi' | 'generic';
  readonly name: string;
  readonly version: string;
}

/** All that a bill of materials is written from: a release, and what the statements of its chain say. */
export interface Materials {
  /** Envelope of the release statement. */
  readonly release: Digest;
  readonly record: ReleaseRecord;
  readonly card: ModelCard;
  readonly files: readonly TreeEntry[];
  readonly data: z.infer<typeof dataPredicate.schema>;
  readonly provenance: z.infer<typeof provenancePredicate.schema>;
  readonly tests: readonly { readonly gate: GateSpec; readonly verdict: Verdict }[];
  /** What suppliers say of the sources that they stand for. */
  readonly sources: ReadonlyMap<Digest, SourceDescription>;
  readonly packages: readonly PinnedPackage[];
  /** Of the Assay that writes it. */
  readonly assayVersion: string;
}
