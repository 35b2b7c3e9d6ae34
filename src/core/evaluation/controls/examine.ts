import { suiteOrder } from '../../spec/index.js';
import { isBrokenBy } from '../evasion-row.js';
import { type Finding, worstStatus } from '../judgement.js';
import { withKnowledge } from '../suite-attacks.js';
import { type ControlEvidence, relevant } from './control.js';
import { chanceOfAttacked, chanceOfDifference } from './equal-frequencies.js';
import { controls } from './registry.js';

/** One control as a report shows it. */
export interface ControlReport {
  readonly name: string;
  readonly status: Finding['status'];
  /** What it looked at, in figures; empty where they say nothing that the name does not. */
  readonly seen: string;
}

/** Every control that makes sense of the model, whether it holds or not. */
export function examineControls(evidence: ControlEvidence, gradients: boolean): readonly ControlReport[] {
  return relevant(controls, evidence, gradients).map((control) => ({
    name: control.name,
    status: worstStatus([{ status: 'pass', reason: '' }, ...control.judge(evidence)]),
    seen: figures[control.name]?.(evidence) ?? '',
  }));
}

const count = (of: readonly (boolean | null)[], what: boolean): string => {
  const tried = of.filter((outcome) => outcome !== null);
  return `${tried.filter((outcome) => outcome === what).length} of ${tried.length}`;
};

/** Figures by the name of the control. */
const figures: Readonly<Record<string, (evidence: ControlEvidence) => string>> = {
  'gradients agree with finite differences': ({ rows }) => {
    const cosines = rows.flatMap(({ gradient }) => gradient?.cosine ?? []).sort((one, other) => one - other);
    const median = cosines[Math.floor(cosines.length / 2)];
    return median === undefined ? '' : `median cosine ${median.toFixed(4)} at ${cosines.length} samples`;
  },
  'gradients account for all changes': ({ rows }) => {
    const shares = rows
      .flatMap(({ gradient }) => gradient?.unaccounted ?? [])
      .sort((one, other) => one - other);
    const median = shares[Math.floor(shares.length / 2)];
    return median === undefined ? '' : `median ${(100 * median).toFixed(1)} % unaccounted`;
  },
  'equal requests get equal answers': ({ rows }) =>
    `${rows.filter(({ repeatable }) => !repeatable).length} of ${rows.length} answered differently`,
  'equal requests get equal shares of answers': (evidence) => {
    const moving = evidence.rows.filter(({ repeatable }) => !repeatable).length;
    return `${moving} of ${evidence.rows.length} answered differently, p = ${chanceOfDifference(evidence).toPrecision(2)}`;
  },
  'the whole suite was run': ({ suite }) => suite.map(({ attack }) => attack).join(', '),
  'the attacked graph is the served model': (evidence) => {
    const { rows } = evidence;
    if (rows.some(({ answers }) => answers && answers.attacked !== null)) {
      return `right as often, p = ${chanceOfAttacked(evidence).toPrecision(2)}`;
    }
    const largest = rows.reduce((most, { logitsDifference }) => Math.max(most, logitsDifference ?? 0), 0);
    return largest === 0 ? 'equal logits' : `logits differ by ${largest.toExponential(1)} of the largest`;
  },
  'claims are confirmed': ({ rows }) => {
    const claims = rows.flatMap(({ attacks }) => Object.values(attacks ?? {})).filter((one) => one?.claimed);
    return `${claims.filter((one) => one?.broken).length} of ${claims.length} claims`;
  },
  'many steps do what one step does': ({ rows }) => {
    const single = withKnowledge(suiteOrder, 'one-step', 'universal');
    const many = withKnowledge(suiteOrder, 'white-box');
    const only = rows.filter(({ attacks }) => isBrokenBy(single, attacks) && !isBrokenBy(many, attacks));
    return `${only.length} of ${rows.length} broken by one step, or one change for all, alone`;
  },
  "gradients do what the parent's do": ({ rows, suite }) =>
    suite.some(({ attack }) => attack === 'transfer')
      ? `${rows.filter(({ attacks }) => isBrokenBy(['transfer'], attacks)).length} of ${rows.length} broken through the parent alone`
      : 'not applicable: no parent is known',
  'gradients do what black boxes do': ({ rows }) => {
    const blind = withKnowledge(suiteOrder, 'black-box');
    return `${rows.filter(({ attacks }) => isBrokenBy(blind, attacks)).length} of ${rows.length} broken by black boxes alone`;
  },
  'an attack without a radius leaves none': ({ rows }) =>
    `${count(
      rows.map(({ unbounded }) => unbounded),
      false,
    )} survivors stand`,
  'twice the iterations hardly break more': ({ rows }) =>
    `${count(
      rows.map(({ longer }) => longer),
      true,
    )} survivors broken`,
  'the scale of the logits does not matter': ({ rows }) =>
    `${count(
      rows.map(({ rescaled }) => rescaled),
      true,
    )} survivors broken`,
  'planted weaknesses are found': ({ rows }) =>
    `${count(
      rows.map(({ planted }) => (planted?.built ? planted.found : null)),
      true,
    )} found`,
  'a certified sample is never broken': ({ rows }) => {
    const tried = rows.flatMap(({ certified }) => certified ?? []);
    return tried.length === 0 ? 'not tried' : `${count(tried, true)} broken samples certified`;
  },
};
