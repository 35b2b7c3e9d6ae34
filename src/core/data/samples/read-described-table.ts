import path from 'node:path';
import { RefusedError } from '../../errors/index.js';
import type { DataSpec } from '../../spec/index.js';
import { acceptRows, rowsByClass } from '../accept-rows.js';
import { brokenProblems, classIndex } from '../check.js';
import type { Crowd } from '../crowd-labels.js';
import { literal } from '../database.js';
import type { Split } from '../dataset.js';
import { readRowsOf } from '../examine.js';
import { localFiles } from '../foreign-values.js';
import { problemSentence } from '../report.js';
import { inputFeatures } from '../snapshot.js';
import { assignSplits, classProblems } from '../split.js';
import { formatOf } from '../stages.js';
import { assembleSamples } from './assemble.js';
import { expectClean, readRows, withTable } from './read-table.js';
import type { SampleOptions, SampleSet } from './sample-set.js';

/**
 * Reads a table that the data block of a lifecycle describes: columns, types, ranges, scale, classes and shape. All rows are
 * checked by the rules of ingestion.
 *
 * @param split - which rows: those that a run of the lifecycle would train on, or test on; `all` where the file holds none
 * that the model has seen
 * @throws RefusedError `source-missing`, `source-unreadable`, `spec-invalid` or `data-refused` with the rows that break a rule
 */
export async function readDescribedTable(
  file: string,
  data: DataSpec,
  split: Split | 'all',
  { classCount, shape, signal }: Pick<SampleOptions, 'classCount' | 'shape' | 'signal'>,
): Promise<SampleSet> {
  const { classes } = data.label;
  const features = inputFeatures(data);
  let crowd: Crowd | undefined;
  const raw = await withTable(file, formatOf(data), signal, async (table) => {
    const { database } = table;
    const fetchFile = localFiles((source) => path.resolve(path.dirname(file), source));
    const found = await readRowsOf({
      ...table,
      data,
      format: formatOf(data),
      fetchFile,
      released: [],
      signal,
    });
    const { sound } = found;
    crowd = found.crowd;
    const cells = data.quarantine ? noProblems() : brokenProblems(database, data, found.checks);
    await expectClean(found.staged.problems, cells);
    const counts = await rowsByClass(database, data, classIndex(data), sound);
    await database.run(`CREATE TABLE labels AS SELECT id::VARCHAR AS id, label FROM ${sound}`);
    await acceptRows(database, data, sound);
    const total = counts.reduce((sum, rows) => sum + rows, 0);
    if (split === 'all') {
      return await readRows(
        database,
        data,
        '(SELECT * FROM accepted JOIN labels USING (id) ORDER BY id)',
        total,
      );
    }
    const [problem] = classProblems(data, counts);
    if (problem) throw new RefusedError('data-refused', problemSentence(problem));
    const assigned = (await assignSplits(database, data, counts))[split];
    const rows = assigned.reduce((sum, count) => sum + count, 0);
    const from =
      '(SELECT * FROM accepted JOIN labels USING (id) JOIN assigned USING (id) ' +
      `WHERE split = ${literal(split)} ORDER BY id)`;
    return await readRows(database, data, from, rows);
  });
  const set = assembleSamples(
    {
      ...raw,
      shape: data.shape ?? [features.length],
      columns: features.map(({ column }) => column),
      notes: [],
    },
    { classes, ...(classCount === undefined ? {} : { classCount }), ...(shape ? { shape } : {}) },
    {
      low: features.map(({ minimum }) => minimum),
      high: features.map(({ maximum }) => maximum),
      unit: features.map(({ scale }) => scale === 'unit'),
    },
  );
  return {
    ...set,
    features,
    ...(data.text && { text: { texts: raw.texts, features: data.text } }),
    ...(crowd && { crowd: votesAbout(set, crowd) }),
  };
}

/** Rows that are set aside are no problem of the others. */
async function* noProblems(): AsyncGenerator<never> {}

/** The votes about samples that were read, by their position among them. */
function votesAbout(
  { samples }: SampleSet,
  { votes, contributors, ids }: Crowd,
): NonNullable<SampleSet['crowd']> {
  const position = new Map(samples.ids.map((id, index) => [id, index]));
  const kept = [...votes.item.keys()].filter((index) => position.has(ids[votes.item[index]!]!));
  const pick = (values: Uint32Array): Uint32Array => Uint32Array.from(kept, (index) => values[index]!);
  return {
    contributors,
    votes: {
      ...votes,
      items: samples.ids.length,
      item: Uint32Array.from(kept, (index) => position.get(ids[votes.item[index]!]!)!),
      contributor: pick(votes.contributor),
      vote: pick(votes.vote),
    },
  };
}
