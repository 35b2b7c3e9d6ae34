import type { Digest } from '../../src/core/spec/index.js';
import type { GatewayParts } from '../../src/gateway/gateway.js';
import { type GatedModels, gatedModels } from './gated-models.js';
import { type RunningGateway, runGateway } from './running-gateway.js';
import { type SignedChain, signedChain, type TestModel } from './signed-chain.js';

/** Signed models and whatever gateways a test starts. */
export interface ReleaseScene {
  readonly chain: SignedChain;
  /** The signed model that answers `classes[answer]`; made once. */
  readonly model: (answer: number) => Promise<TestModel>;
  readonly start: (parts?: Partial<GatewayParts>) => Promise<RunningGateway>;
  /** Signs a revision that serves the model that answers `classes[answer]`, and points the ref at it. */
  readonly publish: (revision: number, answer: number, kind?: 'release' | 'rollback') => Promise<Digest>;
  /** Sessions whose runs the test can hold. */
  readonly gated: () => GatedModels;
  readonly end: () => Promise<void>;
}

export async function releaseScene(): Promise<ReleaseScene> {
  const chain = await signedChain();
  const models = new Map<number, Promise<TestModel>>();
  const running: RunningGateway[] = [];
  const gates: GatedModels[] = [];
  const model = (answer: number): Promise<TestModel> => {
    const made = models.get(answer) ?? chain.model(answer);
    models.set(answer, made);
    return made;
  };
  return {
    chain,
    model,
    async start(parts = {}) {
      const gateway = await runGateway(chain, parts);
      running.push(gateway);
      return gateway;
    },
    async publish(revision, answer, kind = 'release') {
      const release = await chain.release(await model(answer), revision, { kind });
      await chain.point({ release, revision });
      return release;
    },
    gated() {
      const gated = gatedModels();
      gates.push(gated);
      return gated;
    },
    async end() {
      for (const gated of gates) gated.letAllGo();
      for (const gateway of running) await gateway.drain();
      await chain.remove();
    },
  };
}

/** What a gateway answered to one sample: `revision:label`, or the status when it did not. */
export const told = ({ status, body }: Awaited<ReturnType<RunningGateway['infer']>>): string =>
  status === 200 ? `${body.model_version}:${body.outputs[0]?.data[0]}` : `${status}`;
