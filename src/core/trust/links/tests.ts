import {
  attacksThroughParent,
  type Digest,
  type GateSpec,
  gateName,
  gatesSchema,
  type ModelCard,
  missesWhatIsServed,
  type TrainingSpec,
  type Verdict,
} from '../../spec/index.js';
import { canonicalJson } from '../../store/index.js';
import { digestNamed } from '../statements/predicate.js';
import { resultOfStatus, testResultPredicate } from '../statements/test-result.js';
import { parseStrictJson } from '../strict-json.js';
import type { Evidence } from './evidence.js';
import { attempt, expect, fail, type Inspection, openLink, readBytes } from './inspection.js';
import { shortfalls } from './strictness.js';
import { readWaivers } from './waivers.js';

interface TestResult {
  readonly gate: GateSpec;
  readonly verdict: Verdict;
}

/** What other links say of the model. */
interface KnownOfModel {
  readonly card: ModelCard | undefined;
  /** Test rows of the snapshot. */
  readonly rows: number | undefined;
  /** Blob of the model that it was fine-tuned from. */
  readonly parent?: Digest | undefined;
  /** As its provenance says. */
  readonly training?: TrainingSpec;
}

/**
 * Link 6: every gate of the run passed for this model on this snapshot, or was waived by somebody who may, and they ask at least what the policy asks. What was
 * fine-tuned was attacked through what it came from, where a gate asks for that.
 *
 * @returns the blob that lists the gates of the run; undefined when the statements do not agree on one
 */
export async function checkTests(
  inspection: Inspection,
  evidence: Evidence,
  { card, rows, parent, training }: KnownOfModel,
): Promise<Digest | undefined> {
  const { endpoint, model, chain } = evidence;
  const snapshot = card?.snapshot;
  const results: TestResult[] = [];
  const isWaived = await readWaivers(inspection, evidence);
  const lists = new Set<Digest | undefined>();
  for (const envelope of chain.tests) {
    const about = { endpoint, subject: model };
    const opened = await openLink(inspection, 'tests', testResultPredicate, envelope, about);
    if (!opened) continue;
    const { configuration, result } = opened.predicate;
    const { gate, verdict } = opened.predicate['https://assay.dev/attestation/verdict/v1'];
    lists.add(digestNamed(configuration, 'gates'));
    const ranOn = digestNamed(configuration, 'snapshot');
    expect(
      inspection,
      'tests',
      snapshot === undefined || ranOn === snapshot,
      'snapshot-mismatch',
      `expected gate ${gateName(gate)} on snapshot ${snapshot}, got ${ranOn ?? 'none or several'}`,
    );
    const through = digestNamed(configuration, 'parent');
    expect(
      inspection,
      'tests',
      parent === undefined || !attacksThroughParent(gate) || through === parent,
      'gate-weaker',
      `expected gate ${gateName(gate)} to attack through the parent ${parent}, got ${through ?? 'none'}`,
    );
    if (!isWaived(envelope, verdict)) {
      expectPassed(inspection, { gate, verdict }, result);
      expectPower(inspection, { gate, verdict }, rows);
    }
    const missed =
      card && missesWhatIsServed(gate, { smoothing: card.smoothing, serving: evidence.serving, training });
    if (missed !== undefined) fail(inspection, 'tests', 'gate-unserved', missed);
    results.push({ gate, verdict });
  }
  expectPolicyGates(inspection, endpoint, results, rows);
  return expectAllGates(inspection, results, [...lists]);
}

/** A verifier does the sum again: what passed says so in every place, and its numbers bear it out. */
function expectPassed(inspection: Inspection, { gate, verdict }: TestResult, result: string): void {
  const name = gateName(gate);
  const [bound, threshold] =
    gate.gate === 'extraction' ? (['maximum', gate.maximum] as const) : ([undefined, gate.minimum] as const);
  expect(
    inspection,
    'tests',
    verdict.status === 'pass' && result === resultOfStatus.pass,
    'gate-failed',
    `expected gate ${name} to pass, got ${verdict.status} and ${result}: ${verdict.reasons.join(' ')}`,
  );
  expect(
    inspection,
    'tests',
    verdict.gate === name &&
      verdict.kind === gate.gate &&
      verdict.threshold === threshold &&
      verdict.confidence === gate.confidence &&
      verdict.bound === bound &&
      (bound === 'maximum' ? verdict.interval[1] <= threshold : verdict.interval[0] >= threshold),
    'gate-failed',
    `expected a verdict on gate ${name} with its interval on the right side of its ${bound ?? 'minimum'} ${threshold} and confidence ${gate.confidence}, ` +
      `got ${verdict.gate} with [${verdict.interval.join(', ')}] against ${verdict.threshold} at ${verdict.confidence}`,
  );
}

function expectPower(inspection: Inspection, { gate, verdict }: TestResult, rows: number | undefined): void {
  if (rows === undefined) return;
  // Its interval says how much a gate saw that stopped early: it is one that holds whenever the gate stops.
  if (gate.gate === 'evasion' && gate.earlyStop) return;
  const samples = gate.gate === 'accuracy' ? rows : Math.min(gate.samples, rows);
  expect(
    inspection,
    'tests',
    verdict.n >= samples,
    'gate-weaker',
    `expected gate ${gateName(gate)} on at least ${samples} samples, got ${verdict.n}`,
  );
}

/** The gates that this verifier's own policy asks for, whatever the run asked of itself. */
function expectPolicyGates(
  inspection: Inspection,
  endpoint: string,
  results: readonly TestResult[],
  rows = Number.POSITIVE_INFINITY,
): void {
  for (const required of inspection.policy.endpoints[endpoint]?.gates ?? []) {
    const alike = results.filter(({ gate }) => gate.gate === required.gate);
    const missing = alike.map(({ gate }) => shortfalls(gate, required, rows));
    if (missing.some((found) => found.length === 0)) continue;
    const name = gateName(required);
    if (alike.length === 0) {
      fail(
        inspection,
        'tests',
        'gate-missing',
        `expected gate ${name} of the trust policy, got none of its kind`,
      );
    } else {
      fail(
        inspection,
        'tests',
        'gate-weaker',
        `gate ${name} of the trust policy: ${missing.flat().join('; ')}`,
      );
    }
  }
}

/** Every statement names the list of all gates of its run, so that none can be left out of the chain unseen. */
async function expectAllGates(
  inspection: Inspection,
  results: readonly TestResult[],
  lists: readonly (Digest | undefined)[],
): Promise<Digest | undefined> {
  const [list] = lists;
  if (list === undefined || lists.length !== 1) {
    fail(
      inspection,
      'tests',
      'gates-mismatch',
      `expected test results of one list of gates, got ${lists.length === 1 ? 'none' : lists.length}`,
    );
    return undefined;
  }
  const gates = await attempt(inspection, 'tests', async () =>
    parseGates(await readBytes(inspection.store, list)),
  );
  if (typeof gates === 'string') fail(inspection, 'tests', 'gates-mismatch', gates);
  if (!gates || typeof gates === 'string') return list;
  for (const gate of gates) {
    const name = gateName(gate);
    const found = results.filter((result) => canonicalJson(result.gate) === canonicalJson(gate)).length;
    expect(inspection, 'tests', found > 0, 'gate-missing', `expected a result of gate ${name}, got none`);
    expect(
      inspection,
      'tests',
      found < 2,
      'gate-repeated',
      `expected one result of gate ${name}, got ${found}`,
    );
  }
  for (const { gate } of results) {
    const listed = gates.some((candidate) => canonicalJson(candidate) === canonicalJson(gate));
    const name = gateName(gate);
    expect(
      inspection,
      'tests',
      listed,
      'gates-mismatch',
      `expected only gates of the run, got ${name} as well`,
    );
  }
  return list;
}

/** The gates, or what is wrong with their list. */
function parseGates(bytes: Uint8Array): readonly GateSpec[] | string {
  try {
    const parsed = gatesSchema.safeParse(parseStrictJson(bytes));
    return parsed.success ? parsed.data : 'expected a list of gates, got another shape';
  } catch (error) {
    return `expected a list of gates: ${(error as Error).message}`;
  }
}
