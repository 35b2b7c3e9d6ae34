import type { TableColumn } from '../data/index.js';
import type { EvidenceRow } from './gate.js';

/** What every gate says of a sample, as columns of a table. */
export function sampleColumns(rows: readonly EvidenceRow[]): readonly TableColumn[] {
  return [
    { name: 'id', type: 'VARCHAR', values: rows.map(({ id }) => id) },
    { name: 'label', type: 'INTEGER', values: rows.map(({ label }) => label) },
    { name: 'predicted', type: 'INTEGER', values: rows.map(({ predicted }) => predicted) },
    { name: 'correct', type: 'BOOLEAN', values: rows.map(({ correct }) => correct) },
  ];
}
