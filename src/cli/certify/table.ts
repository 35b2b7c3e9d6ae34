import { mark } from '../context.js';
import { columns } from '../report/columns.js';
import type { CertifyResult } from './result.js';

/** The result as lines for a terminal: certified accuracy by radius, verdict. */
export function certifyTable(result: CertifyResult): readonly string[] {
  const { model, data, policy, certifiedAccuracy, accuracy, abstentions, curve, status, reasons } = result;
  const { n } = certifiedAccuracy;
  const share = (value: number): string => value.toFixed(4);
  const bounds = ([low, high]: readonly [number, number]): string => `[${share(low)}, ${share(high)}]`;
  return [
    mark.bold(`${model.file}: ${n} of ${data.available} samples, ${policy.method}, ${policy.norm}`),
    ...result.notes.map((note) => mark.dim(`  ${note}`)),
    '',
    ...columns([
      ['radius', 'certified accuracy', `${percent(certifiedAccuracy.confidence)} % interval`],
      ['none asked', share(accuracy), ''],
      ...curve.map(({ radius, certified }) => [
        `${radius}`,
        share(certified.estimate),
        bounds(certified.interval),
      ]),
    ]),
    `  ${share(abstentions)} abstentions, which count as wrong`,
    '',
    mark.bold(`Certified accuracy at radius ${policy.epsilon}: ${measured(result)}`),
    `${result.minimum === null ? '' : `Minimum ${result.minimum}: `}${statements[status]}`,
    ...reasons.map((reason) => `  - ${reason}`),
  ];
}

const statements = {
  pass: 'pass',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
  measured: 'measured',
} as const satisfies Record<CertifyResult['status'], string>;

/** `0.7120, 95 % interval [0.6633, 0.7593], n = 359` */
export function measured({ certifiedAccuracy }: CertifyResult): string {
  const { estimate, interval, confidence, n } = certifiedAccuracy;
  const [low, high] = interval.map((bound) => bound.toFixed(4));
  return `${estimate.toFixed(4)}, ${percent(confidence)} % interval [${low}, ${high}], n = ${n}`;
}

function percent(confidence: number): number {
  return Number((100 * confidence).toFixed(4));
}
