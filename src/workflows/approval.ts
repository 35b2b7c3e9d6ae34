import { condition, patched, setHandler } from '@temporalio/workflow';
import type { StageResult } from '../activities/index.js';
import type { Digest } from '../core/spec/index.js';
import { type AwaitedDecision, type Decision, decideUpdate, type SignedRequest } from './contract.js';
import { grant, refusal } from './requests.js';
import { isSigned } from './revisions.js';
import type { RunState } from './run-state.js';
import { signing } from './stages.js';

/** What people decide on. */
export type Question = Omit<AwaitedDecision, 'approvedBy'> & { readonly runner: string };

interface Approved {
  readonly by: readonly string[];
  readonly statements: readonly Digest[];
}

/** Opens the `decide` update: the returned function waits until enough people approved, or one rejected. */
export function awaitApprovals(
  run: string,
  state: Pick<RunState, 'awaits' | 'note'>,
): (question: Question) => Promise<StageResult<Approved>> {
  let question: Question | undefined;
  let ended: StageResult<Approved> | undefined;
  /** Before requests were signed, the first decision was taken at its word. */
  let first: Decision | undefined;
  const approvals = new Map<string, Digest>();

  setHandler(decideUpdate, decide, {
    validator: (made) => {
      const { decision, by, reason } = (made ?? {}) as Partial<Decision>;
      if (question === undefined) throw new Error('This run does not wait for a decision.');
      if (first !== undefined || ended !== undefined) throw new Error('This run was decided already.');
      if (isSigned(made as Partial<SignedRequest>)) return;
      if (decision !== 'approve' && decision !== 'reject')
        throw new Error('Expected decision "approve" or "reject".');
      if (!isName(by) || !isName(reason)) throw new Error('Say who decides (by) and why (reason).');
    },
  });

  return async (asked) => {
    question = asked;
    if (!patched('signed-requests')) {
      await condition(() => first !== undefined);
      return attest(asked, { decision: first! });
    }
    show();
    await condition(() => ended !== undefined);
    state.awaits();
    return ended!;
  };

  async function decide(made: Decision | SignedRequest): Promise<void> {
    if (!patched('signed-requests')) {
      first = made as Decision;
      return;
    }
    const { endpoint, model: subject, verification, runner, needed } = question!;
    const granted = await grant({
      asked: 'signed' in made ? made : { action: made.decision, by: made.by, reason: made.reason },
      actions: ['approve', 'reject'],
      ...{ endpoint, run, subject, verification },
      approval: { runner, approvedBy: [...approvals.keys()] },
    });
    const { action, person: by, reason, envelope: signed } = granted;
    const decision = { decision: action === 'approve' ? 'approve' : 'reject', by, reason } as const;
    const attested = await attest(question!, { decision, ...(signed && { signed }) });
    // Somebody may have decided while this one was looked at.
    if (ended !== undefined) throw new Error('This run was decided already.');
    if (attested.kind === 'refused') {
      // A rejection is what was asked for; anything else is not.
      if (decision.decision === 'approve') throw refusal(attested);
      ended = attested;
      return;
    }
    approvals.set(by, attested.value.statements[0]!);
    show();
    if (approvals.size >= needed) {
      const value = { by: [...approvals.keys()], statements: [...approvals.values()] };
      ended = { kind: 'done', value, cached: false };
    }
  }

  async function attest(
    { model, endpoint, verification }: Question,
    decided: { readonly decision: Decision; readonly signed?: Digest },
  ): Promise<StageResult<Approved>> {
    const result = await signing.attestDecision({ ...decided, model, endpoint, verification });
    if (result.kind === 'refused') return result;
    return { ...result, value: { by: [result.value.by], statements: [result.value.statement] } };
  }

  function show(): void {
    const { runner: _, ...awaited } = question!;
    const approvedBy = [...approvals.keys()];
    state.awaits({ ...awaited, approvedBy });
    const so = approvedBy.length > 0 ? `; approved by ${approvedBy.join(', ')}` : '';
    const people = awaited.needed === 1 ? 'a person' : `${awaited.needed} people`;
    state.note('approve', `waits for ${people}: \`assay approve\`, or the update \`decide\`${so}`);
  }
}

function isName(text: unknown): boolean {
  return typeof text === 'string' && text.trim() !== '' && text.length <= 1000;
}
