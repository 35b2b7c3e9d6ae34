import type { ColumnProfile, TableProfile } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import { clopperPearson } from '../../core/statistics/index.js';
import { featureLines, scalar } from '../init/write-lifecycle.js';

export interface InferOptions {
  /** As the block names it. */
  readonly source: string;
  readonly id?: string;
  readonly label?: string;
}

/** Models see float32. */
const FLOAT32_MAXIMUM = 3.4028234663852886e38;
/** A class needs a row in each split. */
const FEWEST_OF_A_CLASS = 3;
/** A column with more values is no list of choices. */
const MOST_CHOICES = 20;
/** Rows a value should have before it is taken for a choice. */
const ROWS_A_CHOICE = 5;

/**
 * A commented `data:` block that takes the file it was written from, for a person to correct.
 *
 * @throws RefusedError `usage` when the id, the label or features cannot be told
 */
export function inferBlock({ rows, columns }: TableProfile, options: InferOptions): string {
  const id = chooseId(columns, options.id);
  const label = chooseLabel(columns, id, options.label);
  const rest = columns.filter((column) => column !== id && column !== label);
  const features = rest.filter(
    ({ numeric, nulls, range }) =>
      numeric && nulls === 0 && range && Math.max(...range.map(Math.abs)) <= FLOAT32_MAXIMUM,
  );
  if (features.length === 0)
    throw new RefusedError(
      'usage',
      'expected a column of numbers without gaps beside id and label, got none',
    );
  const others = rest.filter((column) => !features.includes(column));
  const lines = [
    '# Written from a sample: what it says of the data was true of that, and is for you to correct.',
    'data:',
    `  source: ${scalar(options.source)}`,
    `  id: ${scalar(id.name)} # names a sample; values are unique`,
    '  label:',
    `    column: ${scalar(label.name)}`,
    `    classes: [${classesOf(label).join(', ')}] # the position is the class index that the model predicts`,
    '  features: # ranges as observed: widen them to what is valid',
    featureLines(
      features.map(({ name, type, range }) => ({
        name,
        type: type as 'integer' | 'number',
        minimum: range![0],
        maximum: range![1],
      })),
    ).trimEnd(),
    ...(others.length > 0
      ? [
          '  columns: # checked and kept, and never seen by the model',
          ...others.flatMap((one) => otherLines(one, rows)),
        ]
      : []),
    ...sanitiseLines(others),
    `  rows: { minimum: ${Math.max(1, Math.floor(rows / 2))}, maximum: ${Math.max(10, rows * 2)} }`,
    '  checks:',
    ...balanceLines(label, rows),
    ...others
      .filter(({ type }) => type === 'timestamp')
      .map(({ name }) => `    # - { check: freshness, column: ${scalar(name)}, maximumAgeHours: 24 }`),
    `    - { check: rule, name: example, expression: ${JSON.stringify(exampleRule(features[0]!))} } # any SQL over a row`,
    '    # - { check: drift, metric: psi, maximum: 0.1 } # against a snapshot that went before:',
    '  # reference: sha256:…',
    '  # quarantine: { maximumShare: 0.01 } # set broken rows aside, instead of refusing all',
    '  split: { train: 0.7, validation: 0.1, test: 0.2, seed: 0 }',
  ];
  return `${lines.join('\n')}\n`;
}

function chooseId(columns: readonly ColumnProfile[], named: string | undefined): ColumnProfile {
  const unique = columns.filter(({ unique, type }) => unique && type !== 'number' && type !== 'boolean');
  const best =
    named === undefined ? (unique.find(({ name }) => /(^|[_-])id$/i.test(name)) ?? unique[0]) : undefined;
  const chosen = named === undefined ? best : columns.find(({ name }) => name === named);
  if (chosen) return chosen;
  throw new RefusedError(
    'usage',
    named === undefined
      ? 'expected a column with another value in each row, got none: name the id with --id'
      : `--id: expected one of ${columns.map(({ name }) => name).join(', ')}, got ${named}`,
  );
}

function chooseLabel(
  columns: readonly ColumnProfile[],
  id: ColumnProfile,
  named: string | undefined,
): ColumnProfile {
  const fits = (column: ColumnProfile): boolean =>
    column !== id &&
    column.type !== 'number' &&
    column.nulls === 0 &&
    (column.values?.length ?? 0) >= 2 &&
    column.values!.every(({ rows }) => rows >= FEWEST_OF_A_CLASS);
  const candidates = columns.filter(fits);
  const chosen =
    named === undefined
      ? (candidates.find(({ name }) => /^(label|class|target|y)$/i.test(name)) ?? candidates.at(-1))
      : candidates.find(({ name }) => name === named);
  if (chosen) return chosen;
  throw new RefusedError(
    'usage',
    `expected a label with 2 to 100 classes of ${FEWEST_OF_A_CLASS} rows each${named === undefined ? ', got none: name one with --label' : ` in ${named}, got another column`}`,
  );
}

/** Labels are texts; integers may be written without quotes where that gives the same text. */
function classesOf({ values, type }: ColumnProfile): readonly string[] {
  const names = values!.map(({ value }) => value);
  const whole = type === 'integer' && names.every((name) => String(Number(name)) === name);
  if (!whole) return names.map((name) => scalar(name));
  return names
    .map(Number)
    .sort((a, b) => a - b)
    .map(String);
}

function otherLines(column: ColumnProfile, rows: number): readonly string[] {
  const { name, type, nulls, likelyNulls, range, times, lengths, hazards, values } = column;
  const [shortest, longest] = lengths;
  const choices =
    type === 'text' &&
    values &&
    values.length <= MOST_CHOICES &&
    values.every((one) => one.rows >= ROWS_A_CHOICE)
      ? values.map(({ value }) => scalar(value))
      : undefined;
  const share = Math.min(0.999, Math.ceil(likelyNulls * 1000 + 1) / 1000);
  return [
    `    - name: ${scalar(name)}`,
    `      type: ${type}`,
    ...(nulls > 0 ? [`      nulls: ${share} # ${nulls} of ${rows} rows have none`] : []),
    ...(range ? [`      minimum: ${range[0]}`, `      maximum: ${range[1]}`] : []),
    ...(times ? [`      after: ${JSON.stringify(times[0])} # the earliest seen`] : []),
    ...(choices ? [`      values: [${choices.join(', ')}]`] : []),
    ...(type === 'text' && !choices
      ? [
          `      length: { minimum: ${Math.min(shortest, 1)}, maximum: ${Math.min(1_000_000, Math.max(1, longest * 2))} } # ${shortest} to ${longest} seen`,
        ]
      : []),
    ...(hazards.length > 0
      ? [`      allow: [${hazards.join(', ')}] # found in the sample: see that they are meant, or strip them`]
      : []),
  ];
}

function sanitiseLines(others: readonly ColumnProfile[]): readonly string[] {
  const untrimmed = others.filter(({ type, untrimmed: found }) => type === 'text' && found > 0);
  if (untrimmed.length === 0) return [];
  const names = untrimmed.map(({ name }) => scalar(name)).join(', ');
  return [
    '  # sanitise: # some values have white space around them',
    `  #   - { transform: trim, columns: [${names}] }`,
  ];
}

/** Half of what the rarest class has at least. */
function balanceLines({ values }: ColumnProfile, rows: number): readonly string[] {
  const rarest = Math.min(...values!.map((one) => one.rows));
  const share = Math.floor(500 * clopperPearson(rarest, rows, 1 - 0.01 / values!.length)[0]) / 1000;
  return share > 0 ? [`    - { check: class-balance, minimumShare: ${Math.min(share, 0.499)} }`] : [];
}

function exampleRule({ name, range }: ColumnProfile): string {
  return `"${name.replaceAll('"', '""')}" >= ${range![0]}`;
}
