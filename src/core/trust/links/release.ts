import type { Digest, ReleaseRecord } from '../../spec/index.js';
import { requireMay } from '../envelope.js';
import { openStatement } from '../statement.js';
import { releasePredicate } from '../statements/release.js';
import {
  attempt,
  expect,
  expectNotRevoked,
  expectSubject,
  type Inspection,
  readBytes,
} from './inspection.js';

/** What the verifier knows already. */
export interface ExpectedRelease {
  /** The endpoint that would serve the release. */
  readonly endpoint?: string;
  /** The newest revision seen: an older statement, however well signed, is a replay. */
  readonly afterRevision?: number;
  /** When it is asked; default: now. */
  readonly at?: Date;
}

/** Link 1: someone who may speak for this endpoint signed this revision, and it is news. */
export async function readRelease(
  inspection: Inspection,
  envelope: Digest,
  expected: ExpectedRelease,
): Promise<ReleaseRecord | undefined> {
  const opened = await attempt(inspection, 'release', async () =>
    openStatement(
      await readBytes(inspection.store, envelope),
      inspection.policy,
      releasePredicate,
      inspection.now,
    ),
  );
  if (!opened) return undefined;
  const { predicate: release } = opened;
  const endpoint = expected.endpoint ?? release.endpoint;
  const newest = expected.afterRevision ?? 0;
  await attempt(inspection, 'release', () => requireMay(opened.signer, 'release', endpoint));
  expectSubject(inspection, 'release', opened, release.model);
  expectNotRevoked(inspection, 'release', envelope);
  expect(
    inspection,
    'release',
    release.endpoint === endpoint,
    'endpoint-mismatch',
    `expected a release for endpoint ${endpoint}, got one for ${release.endpoint}`,
  );
  expect(
    inspection,
    'release',
    release.revision > newest,
    'revision-downgraded',
    `expected a revision after ${newest}, got ${release.revision}`,
  );
  return release;
}
