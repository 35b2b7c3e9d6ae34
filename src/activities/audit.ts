import { RefusedError } from '../core/errors/index.js';
import { endpointRef, readEndpointPointer } from '../core/serving/index.js';
import type { Digest } from '../core/spec/index.js';
import {
  type AuditEntry,
  appendDecision,
  auditEntrySchema,
  entryOfStatement,
  followPolicy,
  readStatement,
} from '../core/trust/index.js';
import type { SigningContext } from './context.js';
import type { SignedRevision } from './control.js';
import { runOnce, runStage, type StageResult } from './stage.js';

/** What a workflow saw that no statement bears. */
export type AuditEvent = Pick<AuditEntry, 'endpoint' | 'by' | 'reason' | 'at'> & {
  readonly decision: 'refused' | 'frozen' | 'unfrozen';
};

/** The signing worker's part in the audit log: it alone can sign that the log has grown. */
export function createAudit({ store, signer, trust }: SigningContext) {
  /** Statements of people who came later are read by the policy that names them. */
  const inForce = () => followPolicy(store, trust, new Date());
  const append = async (entry: AuditEntry) => appendDecision(store, signer, await inForce(), entry);
  const logReleaseStage = { name: 'log-release', version: 1, outcome: auditEntrySchema };

  return {
    /** Puts what statements decide into the log. Done before anything acts on them. */
    logStatements(statements: readonly Digest[]): Promise<StageResult<null>> {
      return runOnce(async () => {
        const policy = await inForce();
        for (const statement of statements) {
          const opened = readStatement(await store.readBlob(statement), policy, new Date());
          const entry = entryOfStatement(statement, opened);
          if (entry) await append(entry);
        }
        return null;
      });
    },

    /** Puts into the log what nobody signed: that something was refused, or that a freeze was asked for without a signature. */
    logEvent(event: AuditEvent): Promise<StageResult<null>> {
      return runOnce(async () => {
        await append({ version: 1, ...event });
        return null;
      });
    },

    /** Puts it into the log that a revision is live. Nobody's word is taken for it: the store says what is published. */
    async logRelease({ release, record }: SignedRevision): Promise<StageResult<null>> {
      const logged = await runStage(store, logReleaseStage, { release }, async (): Promise<AuditEntry> => {
        await requirePublished(record.endpoint, release);
        const { endpoint, revision, kind, model: subject, requestedBy: by, reason } = record;
        const decision = kind === 'rollback' ? 'rolled-back' : 'released';
        const at = new Date().toISOString();
        return { version: 1, decision, endpoint, revision, subject, statement: release, by, reason, at };
      });
      if (logged.kind === 'refused') return logged;
      return runOnce(async () => {
        await append(logged.value);
        return null;
      });
    },
  };

  async function requirePublished(endpoint: string, release: Digest): Promise<void> {
    for await (const { value } of store.refHistory(endpointRef(endpoint))) {
      if (readEndpointPointer(endpoint, value).release === release) return;
    }
    throw new RefusedError(
      'not-found',
      `expected ${release} among the published revisions of ${endpoint}, got none`,
    );
  }
}
