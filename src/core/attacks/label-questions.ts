import { batchesOf, joinRows } from './batches.js';
import { isMisclassified } from './predict.js';
import type { Search } from './search.js';

/** A search of one sample that hands out points, and is told of each whether the model misclassifies it. */
export type Questions = Generator<readonly Float32Array[], void, readonly boolean[]>;

/**
 * Runs one search a sample, side by side, so that the model is asked about many points at once. Of an answer nothing but
 * whether it is right is passed on. What a search is told depends on its own points alone, not on its company.
 *
 * @param begin - the search of a sample; it ends by returning, or when it asks beyond its budget
 * @param queries - points that each sample may ask about
 */
export async function askLabels(
  search: Search,
  batch: readonly number[],
  queries: number,
  begin: (index: number) => Questions,
): Promise<void> {
  let talks = batch.map((index) => {
    const questions = begin(index);
    const { done, value } = questions.next();
    return { index, questions, points: done ? [] : value, asked: 0 };
  });
  for (;;) {
    talks = talks.filter(({ points, asked }) => points.length > 0 && asked + points.length <= queries);
    if (talks.length === 0) return;
    const answers = await areWrong(
      search,
      talks.flatMap(({ index, points }) => points.map((point) => ({ index, point }))),
    );
    let from = 0;
    for (const talk of talks) {
      const { length } = talk.points;
      const { done, value } = talk.questions.next(answers.slice(from, from + length));
      talk.asked += length;
      talk.points = done ? [] : value;
      from += length;
    }
  }
}

async function areWrong(
  { classifier, samples, size, context }: Search,
  questions: readonly { readonly index: number; readonly point: Float32Array }[],
): Promise<readonly boolean[]> {
  const wrong: boolean[] = [];
  for (const batch of batchesOf([...questions.keys()], context.batchSize)) {
    context.signal?.throwIfAborted();
    const points = joinRows(
      size,
      batch.map((at) => questions[at]!.point),
    );
    const logits = await classifier.logits(points, batch.length);
    batch.forEach((at, row) => {
      const label = samples.labels[questions[at]!.index]!;
      wrong.push(isMisclassified(classifier, logits, row, label));
    });
  }
  return wrong;
}
