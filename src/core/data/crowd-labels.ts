import { writeFile } from 'node:fs/promises';
import { dawidSkene, judgeContributors, type Votes, voteShares, votesOf } from '../crowd/index.js';
import type { CrowdSpec, DataSpec } from '../spec/index.js';
import { type Database, literal } from './database.js';
import type { DataProblem } from './problem.js';

/** Who said what of which row. */
export interface Crowd {
  readonly votes: Votes;
  /** Names by index, sorted. */
  readonly contributors: readonly string[];
  /** Ids by item, sorted. */
  readonly ids: readonly string[];
}

export interface CrowdLabels extends Crowd {
  readonly problems: readonly DataProblem[];
  /** What a snapshot keeps: `crowd.json`. */
  readonly report: unknown;
}

/**
 * Puts the class that a crowd gives a row in place of what each contributor says, in the table `raw`. What is no JSON object
 * of votes stays, for the checks to find; so does a row that nobody votes on, or only contributors who are set aside.
 *
 * Rows and contributors are taken in the order of their names, so labels do not depend on the source's order.
 */
export async function labelByCrowd(
  database: Database,
  { label }: DataSpec,
  spec: CrowdSpec,
  folder: string,
): Promise<CrowdLabels> {
  const crowd = await readVotes(database, label.classes, spec);
  const { votes, contributors, ids } = crowd;
  const { quarantine, influence, aggregate } = spec;
  const judged = judgeContributors(votes, influence, quarantine?.falseAlarmRate ?? 0.01);
  const isHeard = (who: number): boolean => !(quarantine && judged.isUnreliable(who));
  const heard = votesOf(votes, isHeard);
  const posterior =
    aggregate === 'majority'
      ? voteShares(heard, judged.weights)
      : dawidSkene(heard, { weights: judged.weights }).posterior;

  const voted = new Set(heard.item);
  const lines = ids.flatMap((id, item) => {
    if (!voted.has(item)) return [];
    const row = posterior.subarray(item * votes.classes, (item + 1) * votes.classes);
    return [`${JSON.stringify({ id, label: String(label.classes[row.indexOf(Math.max(...row))]) })}\n`];
  });
  const file = `${folder}/crowd-labels.jsonl`;
  await writeFile(file, lines.join(''));
  await database.run(
    `UPDATE raw SET label = agreed.label FROM read_json(${literal(file)}, format = 'newline_delimited', ` +
      `columns = {id: 'VARCHAR', label: 'VARCHAR'}) AS agreed WHERE raw.id = agreed.id`,
  );
  const aside = [...contributors.keys()].filter((who) => !isHeard(who));
  return {
    ...crowd,
    problems: quarantine
      ? tooMany(aside.length, contributors.length, label.column, quarantine.maximumShare)
      : [],
    report: {
      version: 1,
      contributors: contributors.length,
      votes: votes.vote.length,
      weighed: [...contributors.keys()]
        .filter((who) => judged.weights[who]! < 1)
        .map((who) => ({ contributor: contributors[who], weight: judged.weights[who] })),
      errorRates: { a: judged.honest.a, b: judged.honest.b },
      quarantined: aside.map((who) => ({
        contributor: contributors[who],
        votes: judged.votes[who],
        errorRate: judged.errorRates[who],
        pValue: judged.pValues[who],
      })),
    },
  };
}

function tooMany(aside: number, all: number, column: string, maximumShare: number): readonly DataProblem[] {
  if (aside <= maximumShare * all) return [];
  return [
    {
      rule: 'crowd',
      column,
      row: null,
      value: `${aside} of ${all}`,
      expected: `at most ${Math.floor(maximumShare * all)} contributors whom the others contradict too often`,
    },
  ];
}

async function readVotes(
  database: Database,
  classes: DataSpec['label']['classes'],
  spec: CrowdSpec,
): Promise<Crowd> {
  const meaning = new Map<string, number | null>(spec.abstentions.map((written) => [String(written), null]));
  for (const [index, name] of classes.entries())
    for (const written of spec.votes[String(name)] ?? []) meaning.set(String(written), index);

  const said: { readonly item: number; readonly who: string; readonly vote: number }[] = [];
  const ids: string[] = [];
  const result = await database.stream(
    'SELECT id, label FROM raw WHERE id IS NOT NULL AND label IS NOT NULL ORDER BY id, row',
  );
  for await (const rows of result.yieldRowsJs()) {
    for (const [id, label] of rows) {
      // A second row of the same id is a problem of its own.
      if (id === ids.at(-1)) continue;
      const votes = votesIn(String(label), meaning);
      if (!votes) continue;
      for (const [who, vote] of votes) said.push({ item: ids.length, who, vote });
      ids.push(String(id));
    }
  }
  const contributors = [...new Set(said.map(({ who }) => who))].sort();
  const indexOf = new Map(contributors.map((who, index) => [who, index]));
  return {
    contributors,
    ids,
    votes: {
      items: ids.length,
      classes: classes.length,
      contributors: contributors.length,
      item: Uint32Array.from(said, ({ item }) => item),
      contributor: Uint32Array.from(said, ({ who }) => indexOf.get(who)!),
      vote: Uint32Array.from(said, ({ vote }) => vote),
    },
  };
}

/** The votes of one row, without abstentions; undefined for what is no JSON object of known votes. */
function votesIn(
  text: string,
  meaning: ReadonlyMap<string, number | null>,
): readonly (readonly [who: string, vote: number])[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const votes: (readonly [string, number])[] = [];
  for (const [who, written] of Object.entries(parsed)) {
    const vote = typeof written === 'object' ? undefined : meaning.get(String(written));
    if (vote === undefined) return undefined;
    if (vote !== null) votes.push([who, vote]);
  }
  return votes;
}
