import { patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { EvaluateInput } from '../activities/index.js';
import type { Chain, Digest, Lifecycle } from '../core/spec/index.js';
import { awaitApprovals } from './approval.js';
import { endpointWorkflowId, type LifecycleInput, type LifecycleOutcome, progressQuery } from './contract.js';
import { evaluator, parentOf } from './evaluation.js';
import { ingestData } from './ingestion.js';
import { compareTrainings, judge } from './judgement.js';
import { checkRequest } from './requests.js';
import { createRunState, labelRun, Refusal } from './run-state.js';
import { admission, compute, control, signing, trainOn } from './stages.js';

/** One run: from raw data to a released model, or to a refusal that says why. */
export async function lifecycle(input: LifecycleInput): Promise<LifecycleOutcome> {
  const { name, data, training, gates, serving, release } = input.lifecycle;
  const program = input.program && { program: input.program };
  const runId = workflowInfo().workflowId;
  const run = createRunState(name);
  const approvals = awaitApprovals(runId, run);
  setHandler(progressQuery, run.progress);

  try {
    const asker = await whoAsks(input, runId);
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
    const needed = await approvalsNeeded(release);
    if (needed > 0) {
      const { endpoint } = release;
      const { verification } = results;
      const approved = await run.stage(
        'approve',
        () => approvals({ endpoint, model, verification, needed, runner: asker.name }),
        ({ by }) => `approved by ${by.join(', ')}`,
      );
      chain = { ...chain, approvals: [...approved.statements] };
    } else run.skip('approve', 'neither the lifecycle nor the trust policy asks for it');

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
            requestedBy: asker.name,
            ...(asker.requests && { requests: asker.requests }),
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

/** How many people have to approve: what the trust policy asks for, and one where the lifecycle does. */
async function approvalsNeeded({ endpoint, approval }: Lifecycle['release']): Promise<number> {
  const asked = approval === 'required' ? 1 : 0;
  if (!patched('signed-requests')) return asked;
  const rule = await admission.approvalsNeeded(endpoint);
  if (rule.kind === 'refused') throw new Refusal('approve', rule);
  return Math.max(asked, rule.value.needed);
}

/** Who is known to have asked for the run; before requests were signed, who said so. */
async function whoAsks(
  { signed, requestedBy, ...order }: LifecycleInput,
  run: string,
): Promise<{ readonly name: string; readonly requests?: Digest[] }> {
  if (!patched('signed-requests')) return { name: requestedBy };
  const { endpoint } = order.lifecycle.release;
  const asked = await checkRequest({
    asked: signed === undefined ? { action: 'run', by: requestedBy, reason: 'a run' } : { signed },
    actions: ['run'],
    ...{ endpoint, run, order },
  });
  if (asked.kind === 'refused') throw new Refusal('ingest', asked);
  const { person: name, envelope } = asked.value;
  if (!envelope) return { name };
  const logged = await signing.logStatements([envelope]);
  if (logged.kind === 'refused') throw new Refusal('ingest', logged);
  return { name, requests: [envelope] };
}
