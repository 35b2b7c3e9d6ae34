import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { StageRefusal, StageResult } from '../activities/index.js';
import type { Digest, Verdict } from '../core/spec/index.js';
import {
  type AwaitedDecision,
  type LifecycleOutcome,
  type LifecycleProgress,
  type StageName,
  type StageProgress,
  searchAttributes,
  stageNames,
} from './contract.js';
import { runDetails } from './details.js';

/** Thrown inside the workflow only, to leave it from any depth; `lifecycle` turns it into its outcome. */
export class Refusal extends Error {
  constructor(
    readonly stage: StageName,
    readonly refusal: StageRefusal,
  ) {
    super(refusal.reasons[0] ?? refusal.code);
  }
}

type Released = Extract<LifecycleOutcome, { status: 'released' }>;

/** The progress of one run: what its query answers and what the Temporal UI shows. */
export interface RunState {
  /** Runs one stage, keeps its progress, and leaves the workflow when the stage refuses. */
  stage<T>(name: StageName, work: () => Promise<StageResult<T>>, detail: (value: T) => string): Promise<T>;
  /** The lifecycle does not ask for this stage. */
  skip(name: StageName, why: string): void;
  /** Says what a running stage waits for. */
  note(name: StageName, detail: string): void;
  /** What the gates decided, filled as they decide. */
  readonly verdicts: Verdict[];
  /** Says what people are asked to decide; nothing any more when it is absent. */
  awaits(decision?: AwaitedDecision): void;
  progress(): LifecycleProgress;
  released(release: Omit<Released, 'status' | 'verdicts'>): LifecycleOutcome;
  refused(refusal: Refusal): LifecycleOutcome;
}

export function createRunState(model: string): RunState {
  const stages = new Map<StageName, StageProgress>(
    stageNames.map((name) => [name, { name, status: 'waiting' }]),
  );
  const verdicts: Verdict[] = [];
  let awaiting: AwaitedDecision | undefined;
  const progress = (): LifecycleProgress => ({
    stages: [...stages.values()],
    verdicts: [...verdicts],
    ...(awaiting && { awaiting }),
  });
  const set = (name: StageName, status: StageProgress['status'], detail?: string) => {
    stages.set(name, { name, status, ...(detail !== undefined && { detail }) });
    setCurrentDetails(runDetails(model, progress()));
  };
  const label = (verdict: LifecycleOutcome['status']) =>
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: verdict }]);

  return {
    verdicts,
    awaits: (decision) => {
      awaiting = decision;
    },
    progress,
    async stage(name, work, detail) {
      set(name, 'running');
      upsertSearchAttributes([{ key: searchAttributes.stage, value: name }]);
      const result = await work();
      if (result.kind === 'refused') {
        set(name, 'refused', result.reasons[0]);
        throw new Refusal(name, result);
      }
      set(name, result.cached ? 'cached' : 'done', detail(result.value));
      return result.value;
    },
    skip: (name, why) => set(name, 'skipped', why),
    note: (name, detail) => set(name, 'running', detail),
    released(release) {
      label('released');
      return { status: 'released', ...release, verdicts };
    },
    refused({ stage, refusal: { code, reasons, hint, evidence } }) {
      label('refused');
      return { status: 'refused', stage, code, reasons, hint, evidence, verdicts };
    },
  };
}

/** Labels the run with an artifact, so that it can be found by digest. */
export function labelRun(label: 'model' | 'dataset', digest: Digest): void {
  upsertSearchAttributes([{ key: searchAttributes[label], value: digest }]);
}
