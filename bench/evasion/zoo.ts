/**
 * The zoo of broken defences and the clean twins before the standard evasion gate, as Markdown:
 *
 *     npx tsc -p bench/tsconfig.json && node dist/bench/bench/evasion/zoo.js zoo|twins [samples] [radii]
 *
 * `zoo`: what the gate says of each broken defence, what it believes the robust accuracy to be, what an attacker who knows the
 * defence leaves of it, and which controls raised an alarm; of a randomised one once more, attacked in the mean. `twins`: the same of honestly trained models, and how many raise
 * an alarm. Takes some minutes on one core.
 */

import type { ControlReport } from '../../src/core/evaluation/index.js';
import { clopperPearson } from '../../src/core/statistics/index.js';
import { attackAdaptively } from '../../test/core/evaluation/zoo/adaptive-attack.js';
import { brokenDefences } from '../../test/core/evaluation/zoo/broken-defences.js';
import { readDigits, take } from '../../test/core/evaluation/zoo/digits.js';
import { alarms, evaluateDigits, evasionSpec } from '../../test/core/evaluation/zoo/gate.js';
import { readNetwork, readParts } from '../../test/core/evaluation/zoo/networks.js';
import { twins } from '../../test/core/evaluation/zoo/twins.js';

const MINIMUM = 0.5;
const [, , table = 'zoo', count, list] = process.argv;
const digits = readDigits();
const test = take(digits.test, Number(count ?? (table === 'zoo' ? 100 : digits.test.ids.length)));
const radii = (list ?? (table === 'zoo' ? '0.1,0.15' : '0.03,0.06,0.1,0.15')).split(',').map(Number);

const share = (value: number): string => value.toFixed(3);
const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);
const head = (...cells: readonly string[]): void => {
  row(...cells);
  row(...cells.map(() => '---'));
};
const seen = (controls: readonly ControlReport[]): string =>
  controls
    .filter(({ status }) => status !== 'pass')
    .map(({ name, seen: figures }) => (figures ? `${name} (${figures})` : name))
    .join('; ') || '–';

async function showZoo(): Promise<void> {
  console.log(`${test.ids.length} samples, minimum ${MINIMUM}, the standard suite\n`);
  head('broken defence', 'ε', 'verdict', 'clean', 'claimed', 'really at most', 'alarms', 's');
  const parts = readParts({ ...digits, test });
  for (const { name, classes, isRandomised, build, surrogate } of brokenDefences) {
    const onnx = build(parts);
    for (const epsilon of radii) {
      const standing = await attackAdaptively(onnx, surrogate?.(parts) ?? parts.plain, test, epsilon, {
        ...(classes && { classes }),
        ...(isRandomised && { draws: 8 }),
      });
      for (const mean of isRandomised ? [false, true] : [false]) {
        const began = performance.now();
        const spec = evasionSpec({ epsilon, minimum: MINIMUM, ...(mean && { randomised: {} }) });
        const { decision, controls } = await evaluateDigits(onnx, spec, test, classes);
        row(
          mean ? `${name}, in the mean of ${spec.randomised?.draws} draws` : name,
          epsilon,
          decision.status === 'pass' ? '**pass**' : decision.status,
          share(decision.figures['clean accuracy']!),
          share(decision.estimate),
          share(standing.filter(Boolean).length / test.ids.length),
          seen(controls),
          ((performance.now() - began) / 1000).toFixed(1),
        );
      }
    }
  }
}

async function showTwins(): Promise<void> {
  console.log(`${test.ids.length} samples, minimum ${MINIMUM}, the standard suite\n`);
  head('clean twin', 'ε', 'verdict', 'clean', 'robust', 'planted found', 'alarms', 's');
  const alarmed = new Map<string, number>();
  const pass = { evaluations: 0, alarms: 0 };
  const planted = { built: 0, found: 0 };
  const suspects = new Set<string>();
  for (const { name } of twins) {
    for (const epsilon of radii) {
      const began = performance.now();
      const evaluation = await evaluateDigits(
        readNetwork(name),
        evasionSpec({ epsilon, minimum: MINIMUM }),
        test,
      );
      const { decision, controls, measurement } = evaluation;
      const tried = measurement.rows.flatMap((each) => (each.planted?.built ? [each.planted] : []));
      planted.built += tried.length;
      planted.found += tried.filter(({ found }) => found).length;
      const raised = alarms(evaluation);
      pass.evaluations += 1;
      if (raised.length > 0) pass.alarms += 1;
      if (raised.length > 0) suspects.add(name);
      for (const control of raised) alarmed.set(control, (alarmed.get(control) ?? 0) + 1);
      row(
        name,
        epsilon,
        decision.status,
        share(decision.figures['clean accuracy']!),
        share(decision.estimate),
        `${tried.filter(({ found }) => found).length}/${tried.length}`,
        seen(controls),
        ((performance.now() - began) / 1000).toFixed(1),
      );
    }
  }
  const rate = (what: string, k: number, n: number): void => {
    const [lower, upper] = clopperPearson(k, n, 0.95);
    console.log(`${what}: ${k} of ${n}, 95 % interval [${share(lower)}, ${share(upper)}]`);
  };
  console.log();
  rate('Evaluations with an alarm', pass.alarms, pass.evaluations);
  rate('Twins with an alarm at any radius', suspects.size, twins.length);
  for (const [control, k] of alarmed) rate(`- ${control}`, k, pass.evaluations);
  rate('Planted weaknesses found', planted.found, planted.built);
}

void (table === 'zoo' ? showZoo() : showTwins());
