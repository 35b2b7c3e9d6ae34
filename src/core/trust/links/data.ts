import { type Digest, inputColumns, type ModelCard } from '../../spec/index.js';
import { canonicalJson } from '../../store/index.js';
import { statementsAbout } from '../data-decisions.js';
import { dataPredicate } from '../statements/data.js';
import { rowReleasePredicate } from '../statements/row-release.js';
import { sourcePredicate } from '../statements/source.js';
import type { Evidence } from './evidence.js';
import { expect, expectNotRevoked, type Inspection, openLink } from './inspection.js';
import { expectNoRevocation } from './revocation.js';

/**
 * Link 5: the snapshot passed its checks, and it is the one that the model was trained on.
 *
 * @returns how many test rows the snapshot has; undefined when the statement cannot be read
 */
export async function checkData(
  inspection: Inspection,
  { endpoint, chain }: Evidence,
  card: ModelCard | undefined,
): Promise<number | undefined> {
  const about = { endpoint, subject: card?.snapshot };
  const opened = await openLink(inspection, 'data', dataPredicate, chain.data, about);
  if (!opened) return undefined;
  const { checks, classes, rows, source } = opened.predicate;
  const account = opened.predicate.account;
  const origins = [source, ...Object.values(account?.files ?? {})];
  for (const digest of [...origins, card?.snapshot]) {
    expectNotRevoked(inspection, 'data', digest);
    if (digest) await expectNoRevocation(inspection, 'data', endpoint, digest);
  }
  await checkDecisions(inspection, endpoint, source, account?.releases ?? []);
  await checkSources(inspection, endpoint, origins);
  if (card) {
    const said = canonicalJson({ columns: inputColumns(checks), text: checks.text ?? null, classes });
    const { columns, text = null } = card.input;
    const carded = canonicalJson({ columns, text, classes: card.output.classes });
    expect(
      inspection,
      'data',
      said === carded,
      'card-mismatch',
      `expected the columns and classes of the model card, ${carded}, got ${said}`,
    );
  }
  return rows.test;
}

/** Rows that broke a rule were let in by people who may. */
async function checkDecisions(
  inspection: Inspection,
  endpoint: string,
  source: Digest,
  decisions: readonly Digest[],
): Promise<void> {
  for (const envelope of decisions) {
    const about = { endpoint, subject: undefined };
    const opened = await openLink(inspection, 'data', rowReleasePredicate, envelope, about);
    if (!opened) continue;
    expect(
      inspection,
      'data',
      opened.predicate.source === source,
      'release-mismatch',
      `expected rows of ${source} to be let in, got a decision about ${opened.predicate.source}`,
    );
  }
}

/** Where the policy asks for it, somebody who may stands for every source. */
async function checkSources(
  { store, policy, now, failures }: Inspection,
  endpoint: string,
  origins: readonly Digest[],
): Promise<void> {
  if (policy.endpoints[endpoint]?.sources !== 'signed') return;
  for (const origin of origins) {
    const statements = await statementsAbout(store, policy, sourcePredicate, origin, { now, endpoint });
    if (statements.length > 0) continue;
    const message = `expected a statement about the source ${origin} by a signer with the role source, got none`;
    failures.push({ link: 'data', code: 'source-unsigned', message });
  }
}
