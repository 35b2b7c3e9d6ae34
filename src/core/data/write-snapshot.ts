import { writeFile } from 'node:fs/promises';
import { type DataSpec, type Digest, inputColumns } from '../spec/index.js';
import { canonicalJson } from '../store/index.js';
import { dataColumns, featureColumns } from './columns.js';
import { type Database, identifier, literal } from './database.js';
import type { Split } from './dataset.js';
import { inputFeatures, type SnapshotManifest, snapshotManifestSchema } from './snapshot.js';
import { type ClassRows, splits } from './split.js';

/**
 * Writes `train.parquet`, `validation.parquet`, `test.parquet` and `snapshot.json` from the tables `accepted` and
 * `assigned`. Rows are sorted by id, so the Parquet files depend on the rows alone and not on the source's order.
 */
export async function writeSnapshot(
  database: Database,
  input: {
    readonly data: DataSpec;
    readonly source: Digest;
    readonly classRows: ClassRows;
    readonly folder: string;
  },
): Promise<SnapshotManifest> {
  const { data, source, classRows, folder } = input;
  const columns = featureColumns(data);
  const others = dataColumns(data).flatMap((column) =>
    column.other && column.other.keep === undefined ? [{ ...column, type: column.other.type }] : [],
  );
  const selected = [
    `id AS ${identifier(data.id)}`,
    `${labelValue(data)} AS ${identifier(data.label.column)}`,
    ...columns.map((column, i) => `f${i} AS ${identifier(column)}`),
    ...others.map(({ raw, name }) => `${raw} AS ${identifier(name)}`),
  ];
  for (const split of splits) {
    await database.run(
      `COPY (SELECT ${selected.join(', ')} FROM accepted JOIN assigned USING (id) WHERE split = ${literal(split)} ` +
        `ORDER BY id) TO ${literal(`${folder}/${split}.parquet`)} (FORMAT parquet, COMPRESSION zstd)`,
    );
  }
  const total = (split: Split) => classRows[split].reduce((sum, rows) => sum + rows, 0);
  const manifest = snapshotManifestSchema.parse({
    version: 1,
    source,
    id: data.id,
    label: { column: data.label.column, classes: data.label.classes },
    features: inputFeatures(data),
    ...(data.text && { text: data.text }),
    shape: data.shape ?? [inputColumns(data).length],
    ...(others.length > 0 && { others: others.map(({ name, type }) => ({ column: name, type })) }),
    rows: { train: total('train'), validation: total('validation'), test: total('test') },
    classRows,
    statistics: await statistics(
      database,
      columns.filter((column) => column !== data.text?.column),
    ),
  });
  await writeFile(`${folder}/snapshot.json`, canonicalJson(manifest), { flag: 'wx' });
  return manifest;
}

/** SQL: the label as the source has it; integers where all classes are. */
function labelValue(data: DataSpec): string {
  const { classes } = data.label;
  const whole = classes.every((name) => typeof name === 'number');
  const names = classes.map((name) => (whole ? `${name}::BIGINT` : literal(String(name))));
  return `[${names.join(', ')}][class + 1]`;
}

async function statistics(
  database: Database,
  columns: readonly string[],
): Promise<SnapshotManifest['statistics']> {
  if (columns.length === 0) return {};
  const aggregates = columns.flatMap((_, i) =>
    [`min(f${i})`, `max(f${i})`, `avg(f${i})`, `stddev_pop(f${i})`].map(
      (sql, k) => `${sql}::DOUBLE AS s${i}_${k}`,
    ),
  );
  const [row] = await database.rows(`SELECT ${aggregates.join(', ')} FROM accepted`);
  return Object.fromEntries(
    columns.map((column, i) => {
      const [minimum, maximum, mean, deviation] = [0, 1, 2, 3].map((k) => Number(row![`s${i}_${k}`]));
      return [column, { minimum: minimum!, maximum: maximum!, mean: mean!, deviation: deviation! }];
    }),
  );
}
