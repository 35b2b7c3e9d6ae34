import { inputColumns, type ModelCard } from '../../spec/index.js';
import { canonicalJson } from '../../store/index.js';
import { dataPredicate } from '../statements/data.js';
import type { Evidence } from './evidence.js';
import { expect, expectNotRevoked, type Inspection, openLink } from './inspection.js';

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
  for (const digest of [source, card?.snapshot]) expectNotRevoked(inspection, 'data', digest);
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
