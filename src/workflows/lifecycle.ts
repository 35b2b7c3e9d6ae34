import { condition, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { EvaluateInput } from '../activities/index.js';
import type { Chain } from '../core/spec/index.js';
import {
  type Decision,
  decideUpdate,
  endpointWorkflowId,
  type LifecycleInput,
  type LifecycleOutcome,
  progressQuery,
} from './contract.js';
import { evaluator, parentOf } from './evaluation.js';
import { ingestData } from './ingestion.js';
import { compareTrainings, judge } from './judgement.js';
import { createRunState, labelRun, Refusal } from './run-state.js';
import { compute, control, signing, trainOn } from './stages.js';

/** One run: from raw data to a released model, or to a refusal that says why. */
export async function lifecycle(input: LifecycleInput): Promise<LifecycleOutcome> {
  const { name, data, training, gates, serving, release } = input.lifecycle;
  const program = input.program && { program: input.program };
  const runId = workflowInfo().workflowId;
  const run = createRunState(name);
  const person = awaitDecision();
  setHandler(progressQuery, run.progress);

  try {
    const snapshot = await run.stage(
      'ingest',
      () => ingestData(input),
      ({ rows }) => `${rows.train} train, ${rows.validation} validation and ${rows.test} test rows accepted`,
    );
    labelRun('dataset', snapshot.snapshot);

    const order = { name, snapshot: snapshot.snapshot, training, ...program };
    const trained = await run.stage(
      'train',
      () => trainOn({ ...order, purpose: 'model' }, (wait) => run.note('train', wait)),
      ({ record }) => `model ${record.model}`,
    );
    const { model, onnx } = trained.record;
    labelRun('model', model);

    if (training.reproduce) {
      await run.stage(
        'reproduce',
        async () =>
          compareTrainings(
            trained,
            await trainOn({ ...order, purpose: 'reproduction', notOn: trained.worker }, (wait) =>
              run.note('reproduce', wait),
            ),
          ),
        ({ worker }) => `${worker} trained the same bytes`,
      );
    } else run.skip('reproduce', 'the lifecycle does not ask for it');

    if (patched('scan')) {
      await run.stage(
        'scan',
        () => compute.scanModel({ onnx }),
        ({ warnings, notes }) => `no errors, ${warnings} warnings, ${notes} notes`,
      );
    } else run.skip('scan', 'the run began before models were scanned by themselves');

    const signatures = await run.stage(
      'sign',
      () => signing.signModel({ run: runId, snapshot, data, model: trained.record, training, ...program }),
      () => 'data statement, OMS signature and SLSA provenance',
    );

    let subject: Omit<EvaluateInput, 'gate'> = { model, snapshot: snapshot.snapshot };
    const verdicts = await run.stage(
      'evaluate',
      async () => {
        const found = await parentOf({ model, training, ...program, gates, endpoint: release.endpoint });
        if (found.kind === 'refused') return found;
        if (found.value) subject = { ...subject, parent: found.value };
        const evaluate = evaluator();
        const results = await Promise.all(gates.map((gate) => evaluate({ gate, ...subject })));
        const judged = judge(results, run.verdicts);
        // A failed gate is put on record too.
        if (judged.kind === 'refused' && run.verdicts.length === gates.length)
          await signing.attestTests({ ...subject, gates, verdicts: run.verdicts });
        return judged;
      },
      (decided) =>
        decided.map(({ gate, status, estimate }) => `${gate} ${status} at ${estimate.toFixed(3)}`).join(', '),
    );

    const results = await run.stage(
      'attest',
      () =>
        signing.attestVerdicts({
          ...subject,
          gates,
          verdicts,
          signatures,
          endpoint: release.endpoint,
          ...(serving && { serving }),
        }),
      ({ tests }) => `${tests.length} test results and a verification summary`,
    );

    let chain: Chain = { ...signatures, ...results };
    if (release.approval === 'required') {
      const approval = await run.stage(
        'approve',
        async () => {
          run.note('approve', 'waits for a person: `assay approve`, or the update `decide`');
          const decision = await person();
          return signing.attestDecision({
            decision,
            model,
            endpoint: release.endpoint,
            verification: results.verification,
          });
        },
        ({ by }) => `approved by ${by}`,
      );
      chain = { ...chain, approvals: [approval.statement] };
    } else run.skip('approve', 'the lifecycle does not ask for it');

    const live = await run.stage(
      'release',
      () =>
        control.proposeRelease({
          endpoint: release.endpoint,
          owner: endpointWorkflowId(release.endpoint),
          proposal: {
            model,
            chain,
            ...(serving && { serving }),
            reason: `run ${runId}`,
            requestedBy: input.requestedBy,
          },
        }),
      ({ record }) => `${record.endpoint} revision ${record.revision}`,
    );
    return run.released({
      revision: live.record.revision,
      release: live.release,
      endpoint: release.endpoint,
      onnx,
      model,
      snapshot: snapshot.snapshot,
    });
  } catch (error) {
    if (error instanceof Refusal) return run.refused(error);
    throw error;
  }
}

/** Opens the `decide` update: the returned function waits for the one decision of a person. */
function awaitDecision(): () => Promise<Decision> {
  let waiting = false;
  let decision: Decision | undefined;
  setHandler(
    decideUpdate,
    (made) => {
      decision = made;
    },
    {
      validator: ({ decision: choice, by, reason }) => {
        if (!waiting) throw new Error('This run does not wait for a decision.');
        if (decision !== undefined) throw new Error(`This run was decided already, by ${decision.by}.`);
        if (choice !== 'approve' && choice !== 'reject')
          throw new Error('Expected decision "approve" or "reject".');
        if (!by?.trim() || !reason?.trim()) throw new Error('Say who decides (by) and why (reason).');
      },
    },
  );
  return async () => {
    waiting = true;
    await condition(() => decision !== undefined);
    return decision!;
  };
}
