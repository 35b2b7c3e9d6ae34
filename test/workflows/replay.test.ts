import { mapTexts, replay, type StoredHistory, storedHistories } from './recorded-histories.js';

const histories = storedHistories();

describe("today's workflow code", () => {
  it.each(histories)('takes up %s where it is', (_name, history) => replay(history));

  it.each(histories)('is caught when %s tells of another activity', async (_name, history) => {
    const last = history.events.map(activityOf).findLast((activity) => activity !== undefined)!;
    const altered = mapTexts(history, (text) => (text === last ? 'somethingElse' : text)) as StoredHistory;
    await expect(replay(altered)).rejects.toMatchObject({ name: 'DeterminismViolationError' });
  });
});

describe('a stored history', () => {
  it.each(histories)('%s tells nothing of the machine that made it', (_name, history) => {
    const telling: string[] = [];
    mapTexts(history, (text) => {
      if (/\d@(?!host\b)|\/(?:home|Users|tmp|root|work)\/|[A-Z]:\\/.test(text)) telling.push(text);
      return text;
    });
    expect(telling).toEqual([]);
  });
});

function activityOf(event: StoredHistory['events'][number]): string | undefined {
  const scheduled = event.activityTaskScheduledEventAttributes as
    | { readonly activityType: { readonly name: string } }
    | undefined;
  return scheduled?.activityType.name;
}
