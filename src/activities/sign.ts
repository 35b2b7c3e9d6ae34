import { z } from 'zod';
import { RefusedError } from '../core/errors/index.js';
import { decideAgain } from '../core/evaluation/index.js';
import { requireSafeModel } from '../core/onnx/index.js';
import {
  type Chain,
  type DataSpec,
  type Digest,
  digestSchema,
  type GateSpec,
  type ModelRecord,
  type ReleaseRecord,
  releaseRecordSchema,
  type ServingSpec,
  type SnapshotRecord,
  type TrainingSpec,
  type Verdict,
} from '../core/spec/index.js';
import { canonicalJson, digestOfJson } from '../core/store/index.js';
import {
  attestApproval,
  attestBom,
  attestData,
  attestModel,
  attestVerdicts,
  attestVerification,
  followPolicy,
  signRelease,
  verifyRelease,
} from '../core/trust/index.js';
import { createAudit } from './audit.js';
import type { SigningContext } from './context.js';
import { refusedBy, runStage, type StageResult } from './stage.js';

/** In whose name provenance and summaries speak. */
const builder = 'https://assay.dev/builder/v1';
const verifier = 'https://assay.dev/verifier/v1';

export interface SignModelInput {
  /** The run that asked; it names the build in the provenance. */
  readonly run: string;
  readonly snapshot: SnapshotRecord;
  readonly data: DataSpec;
  readonly model: ModelRecord;
  readonly training: TrainingSpec;
  readonly program?: Digest;
}

export type ModelSignatures = Pick<Chain, 'data' | 'signature' | 'provenance'>;

export interface AttestTestsInput {
  readonly model: Digest;
  readonly snapshot: Digest;
  /** Blob of the parent's ONNX file, which gates attacked through. */
  readonly parent?: Digest;
  readonly gates: readonly GateSpec[];
  readonly verdicts: readonly Verdict[];
}

export interface AttestVerdictsInput extends AttestTestsInput {
  readonly endpoint: string;
  /** What gateways will reveal to whom. */
  readonly serving?: ServingSpec;
  readonly signatures: ModelSignatures;
}

export interface AttestDecisionInput {
  readonly decision: {
    readonly decision: 'approve' | 'reject';
    readonly by: string;
    readonly reason: string;
  };
  /** The person's own signed request, where there is one: nobody else needs to speak for them. */
  readonly signed?: Digest;
  readonly model: Digest;
  readonly endpoint: string;
  /** The verification summary that the person decided on. */
  readonly verification: Digest;
}

/** A revision to be signed: all of its record but the time. */
export type RevisionOrder = Omit<ReleaseRecord, 'createdAt'>;

const testsSchema = z.array(digestSchema).min(1);
const attestTestsStage = { name: 'attest-tests', version: 1, outcome: testsSchema };
const signStage = {
  name: 'sign',
  version: 2,
  outcome: z.strictObject({ data: digestSchema, signature: digestSchema, provenance: digestSchema }),
};
const attestStage = {
  name: 'attest',
  version: 1,
  outcome: z.strictObject({ tests: testsSchema, verification: digestSchema }),
};
const bomStage = { name: 'bom', version: 1, outcome: z.strictObject({ bom: digestSchema.nullable() }) };
const approveStage = {
  name: 'approve',
  version: 1,
  outcome: z.strictObject({ by: z.string(), statement: digestSchema }),
};

/**
 * The activities of a signing worker, the only holder of a key. Signatures are randomised, so every outcome is
 * recorded: asked twice for the same statement, the worker hands out the first.
 */
export function createSigningActivities(context: SigningContext) {
  const { store, signer, trust } = context;
  const audit = createAudit(context);
  const { keyId } = signer;

  const attestTests = (input: AttestTestsInput): Promise<StageResult<readonly Digest[]>> =>
    runStage(store, attestTestsStage, { keyId, ...input }, async () => [
      ...(await attestVerdicts(store, signer, input.gates, input.verdicts, input, (gate, verdict) =>
        decideAgain(store, gate, verdict, input),
      )),
    ]);

  return {
    attestTests,

    async signModel(input: SignModelInput): Promise<StageResult<ModelSignatures>> {
      const { run: invocation, snapshot, data, model, training } = input;
      const program = input.program && { program: input.program };
      return runStage(store, signStage, { keyId, snapshot, data, model, training, ...program }, async () => {
        // Nobody's word is taken for it, and nothing is signed before.
        requireSafeModel(await store.readBlob(model.onnx));
        return {
          data: await attestData(store, signer, snapshot, data, new Date()),
          ...(await attestModel(store, signer, model, { training, builder, invocation, ...program })),
        };
      });
    },

    /** Signs a test result a gate, then verifies all statements so far and signs the summary. */
    async attestVerdicts(
      input: AttestVerdictsInput,
    ): Promise<StageResult<Pick<Chain, 'tests' | 'verification'>>> {
      const { signatures, endpoint, serving, ...subject } = input;
      const signed = await attestTests(subject);
      if (signed.kind === 'refused') return signed;
      const tests = [...signed.value];
      const chain = { ...signatures, tests };
      const evidence = { endpoint, model: input.model, chain, ...(serving && { serving }) };
      // A summary says that a chain satisfied whoever is trusted now: under another policy it is made anew.
      return runStage(store, attestStage, { keyId, trust: digestOfJson(trust), ...evidence }, async () => ({
        tests,
        verification: await attestVerification(store, signer, trust, evidence, verifier, new Date()),
      }));
    },

    /** Signs a person's decision; a rejection is signed too, and then refuses the run. */
    async attestDecision(
      input: AttestDecisionInput,
    ): Promise<StageResult<{ statement: Digest; by: string }>> {
      const { decision: choice, by, reason } = input.decision;
      const { model, endpoint, verification, signed: own } = input;
      const decision = choice === 'approve' ? 'approved' : 'rejected';
      const attested = () =>
        runStage(store, approveStage, { keyId, ...input }, async () => ({
          by,
          statement: await attestApproval(
            store,
            signer,
            model,
            { decision, person: by, reason, endpoint, verification },
            new Date(),
          ),
        }));
      const signed = own
        ? ({ kind: 'done', value: { by, statement: own }, cached: false } as const)
        : await attested();
      if (signed.kind === 'refused') return signed;
      const logged = await audit.logStatements([signed.value.statement]);
      if (logged.kind === 'refused') return logged;
      if (choice === 'approve') return signed;
      const rejection = new RefusedError('rejected', `${by} rejected the model: ${reason}`);
      return refusedBy(rejection, [signed.value.statement]);
    },

    async signRevision(
      order: RevisionOrder,
    ): Promise<StageResult<{ release: Digest; record: ReleaseRecord }>> {
      const ordered = canonicalJson(order);
      const stage = {
        name: 'sign-revision',
        version: 1,
        outcome: z
          .strictObject({ release: digestSchema, record: releaseRecordSchema })
          .refine(
            ({ record: { createdAt: _, ...signed } }) => canonicalJson(signed) === ordered,
            'of another order',
          ),
      };
      const signed = await runStage(store, stage, { keyId, ...order }, async () => {
        const record = { ...order, createdAt: new Date().toISOString() };
        return { release: await signRelease(store, signer, record), record };
      });
      if (signed.kind === 'refused') return signed;
      // What is proposed is on record before it can be published.
      const logged = await audit.logStatements([signed.value.release]);
      if (logged.kind === 'refused') return logged;
      const described = await describe(signed.value.release);
      return described.kind === 'refused' ? described : signed;
    },

    logRelease: audit.logRelease,
    logStatements: audit.logStatements,
    logEvent: audit.logEvent,
  };

  /** Signs the bill of materials of a release that verifies; one that does not is refused by whoever would publish it. */
  async function describe(release: Digest): Promise<StageResult<{ bom: Digest | null }>> {
    // People whose word it may rest on came since this worker started.
    const policy = await followPolicy(store, trust, new Date());
    return runStage(store, bomStage, { keyId, trust: digestOfJson(policy), release }, async () => {
      const now = new Date();
      const verification = await verifyRelease(store, policy, release, { at: now });
      if (!verification.ok) return { bom: null };
      return { bom: await attestBom(store, signer, policy, verification.verified, now) };
    });
  }
}
