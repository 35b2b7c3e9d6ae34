/**
 * Puts the zoo or the clean twins before the gate and prints what it says, a line of JSON a model:
 * `node judge.js zoo` or `node judge.js twins`. A program of its own, since globals are slow to reach from inside jest's realms.
 */

import type { Samples } from '../../../../src/core/attacks/index.js';
import { isRobust } from '../../../../src/core/evaluation/evasion-row.js';
import type { EvasionGateSpec } from '../../../../src/core/spec/index.js';
import { clopperPearson } from '../../../../src/core/statistics/index.js';
import { attackAdaptively } from './adaptive-attack.js';
import { brokenDefences } from './broken-defences.js';
import { defended } from './defence.js';
import { noiseOf } from './defences/randomness.js';
import { readDigits, take } from './digits.js';
import { alarms, evaluateDigits, evasionSpec } from './gate.js';
import { readNetwork, readParts } from './networks.js';
import { plantWeakness } from './plant-weakness.js';
import { twins } from './twins.js';

/** What the gate says of one model. */
export interface Judged {
  readonly name: string;
  readonly status: string;
  /** Controls that do not hold. */
  readonly alarms: readonly string[];
  readonly interval: readonly number[];
}

export interface JudgedDefence extends Judged {
  /** Of a randomised one: what the gate says where it attacks the mean of several draws. */
  readonly expected?: Judged;
  readonly minimum: number;
  /** The most that the robust accuracy can be, after an attacker who knows the defence. */
  readonly truth: number;
}

export interface JudgedTwin extends Judged {
  readonly at: 'robust' | 'broken' | 'planted' | 'noisy';
  /** Samples that stand. */
  readonly standing: number;
  readonly predicted: readonly number[];
  readonly planted: { readonly tried: number; readonly built: number; readonly found: number };
}

const say = (judged: JudgedDefence | JudgedTwin): void => console.log(JSON.stringify(judged));

const hurry = { pgd: { steps: 10, restarts: 1 }, apgd: { steps: 20 }, square: { queries: 50 } };
/** Of the twins, one that is robust enough to be so behind noise. */
const NOISY = '13-cnn-pgd';

/** In a hurry: the less an attack tries, the more a broken defence seems to withstand. */
async function judgeZoo(): Promise<void> {
  const minimum = 0.6;
  const epsilon = 0.15;
  const spec = evasionSpec({ epsilon, minimum, ...hurry });
  const digits = readDigits();
  const test = take(digits.test, 16);
  const parts = readParts({ ...digits, test });
  for (const { name, classes, isRandomised, build, surrogate } of brokenDefences) {
    const onnx = build(parts);
    const standing = await attackAdaptively(onnx, surrogate?.(parts) ?? parts.plain, test, epsilon, {
      ...(classes && { classes }),
      ...(isRandomised && { draws: 8 }),
    });
    const [, truth] = clopperPearson(standing.filter(Boolean).length, standing.length, 0.95);
    const evaluation = await evaluateDigits(onnx, spec, test, classes);
    const { status, interval } = evaluation.decision;
    const expected = isRandomised && (await judgeMean(name, onnx, { ...spec, randomised }, test));
    say({
      name,
      status,
      alarms: alarms(evaluation),
      interval,
      minimum,
      truth,
      ...(expected && { expected }),
    });
  }
}

/** As few draws as still lead somewhere. */
const randomised = { draws: 4, answers: 21 };

async function judgeMean(
  name: string,
  onnx: Uint8Array,
  spec: EvasionGateSpec,
  samples: Samples,
): Promise<Judged> {
  const evaluation = await evaluateDigits(onnx, spec, samples);
  const { status, interval } = evaluation.decision;
  return { name, status, alarms: alarms(evaluation), interval };
}

/** By all that the standard suite does. Every twin where it is robust, some where none is, some with a weakness planted. */
async function judgeTwins(): Promise<void> {
  const test = take(readDigits().test, 16);
  const judge = async (
    name: string,
    at: JudgedTwin['at'],
    onnx: Uint8Array,
    epsilon: number,
    options: object = {},
  ) => {
    const evaluation = await evaluateDigits(onnx, evasionSpec({ epsilon, minimum: 0.4, ...options }), test);
    const { rows } = evaluation.measurement;
    const tried = rows.flatMap(({ planted }) => planted ?? []);
    const built = tried.filter((planted) => planted.built);
    say({
      name,
      at,
      status: evaluation.decision.status,
      alarms: alarms(evaluation),
      interval: evaluation.decision.interval,
      standing: rows.filter(isRobust).length,
      predicted: rows.map(({ predicted }) => predicted),
      planted: {
        tried: tried.length,
        built: built.length,
        found: built.filter(({ found }) => found).length,
      },
    });
  };
  const noisy = defended(readNetwork(NOISY), { before: noiseOf(0.05) });
  await judge(NOISY, 'noisy', noisy, 0.03, { ...hurry, randomised });
  for (const [i, { name }] of twins.entries()) {
    const onnx = readNetwork(name);
    await judge(name, 'robust', onnx, 0.03);
    if (i % 4 === 0) await judge(name, 'broken', onnx, 0.3);
    if (i % 6 === 0) await judge(name, 'planted', plantWeakness(onnx), 0.03);
  }
}

if (require.main === module) void (process.argv[2] === 'zoo' ? judgeZoo() : judgeTwins());
