import { type Bets, evidenceOf, noBets, placeBets } from './bets.js';
import type { Profile } from './profile.js';
import { type Observation, signs } from './signs.js';

/** What is remembered of one client. */
export interface Suspicion {
  /** The day in UTC that it is about: every day begins without any. */
  readonly day: string;
  /** Its last requests, projected, in no order. */
  readonly recent: readonly Float32Array[];
  readonly asked: number;
  /** By sign. */
  readonly bets: readonly Bets[];
  /** Signs that have raised the alarm today. */
  readonly raised: readonly string[];
}

/** A client does what honest ones do not. */
export interface Alarm {
  readonly sign: string;
  readonly meaning: string;
  /** Requests that it took today. */
  readonly asked: number;
}

/**
 * Looks at one more sample that a client asks about.
 *
 * If the client asks as the profile's honest samples were drawn, the probability of any alarm in a day is at most `falseAlarmRate`: the
 * signs share it evenly.
 *
 * @param suspicion - undefined for a client that is new
 * @returns what to remember, and alarms that were not raised before today
 */
export function watchRequest(
  profile: Profile,
  suspicion: Suspicion | undefined,
  observation: Observation,
  falseAlarmRate: number,
  now: Date,
): { readonly suspicion: Suspicion; readonly alarms: readonly Alarm[] } {
  const day = now.toISOString().slice(0, 10);
  const before =
    suspicion?.day === day ? suspicion : { day, recent: [], asked: 0, bets: signs.map(noBets), raised: [] };
  const asked = before.asked + 1;
  const bets = signs.map((sign, s) =>
    placeBets(before.bets[s]!, sign.shows(observation, before.recent, profile.reference), profile.rates[s]!),
  );
  const limit = Math.log(signs.length / falseAlarmRate);
  const alarms = signs
    .filter(({ name }, s) => !before.raised.includes(name) && evidenceOf(bets[s]!) >= limit)
    .map(({ name, meaning }) => ({ sign: name, meaning, asked }));
  const recent = [...before.recent];
  // The oldest makes room.
  recent[before.asked % profile.memory] = observation.point;
  const raised = [...before.raised, ...alarms.map(({ sign }) => sign)];
  return { suspicion: { day, recent, asked, bets, raised }, alarms };
}
