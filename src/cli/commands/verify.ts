import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { endpointPointerSchema, endpointRef } from '../../core/serving/index.js';
import { type Digest, digestSchema, nameSchema } from '../../core/spec/index.js';
import { openStore, type Store } from '../../core/store/index.js';
import { type ChainLink, readTrustPolicy, verifyRelease } from '../../core/trust/index.js';
import { type CliContext, mark } from '../context.js';

const links: Record<ChainLink, string> = {
  release: 'release statement',
  model: 'model files match their digests',
  signature: 'model signature (OMS)',
  provenance: 'training provenance (SLSA)',
  data: 'data statement',
  tests: 'test results of every gate',
  verification: 'verification summary',
  approval: 'approval',
};

/** `assay verify ENDPOINT|DIGEST`: walks the chain of a release with the function that gateways use. */
export function registerVerify(program: Command, context: () => CliContext): void {
  program
    .command('verify')
    .description('verify the live release of an endpoint, or any release by digest; needs only the store')
    .argument('<name>', 'the name of an endpoint, or the digest of a release statement')
    .option('--trust <file>', 'trust policy; default: the one in the state folder')
    .action(async (name: string, options: { trust?: string }) => {
      const cli = context();
      const trustFile = options.trust ?? cli.paths.trust;
      if (!existsSync(trustFile))
        throw new RefusedError('key-missing', `There is no trust policy ${trustFile}.`);
      const trust = readTrustPolicy(readFileSync(trustFile, 'utf8'));
      const store = await openStore(cli.paths.store);
      const release = await findRelease(store, name);
      const isDigest = digestSchema.safeParse(name).success;
      const verification = await verifyRelease(store, trust, release, isDigest ? {} : { endpoint: name });
      const failures = verification.ok ? [] : verification.failures;

      cli.say(mark.bold(`Release ${release}`));
      for (const [link, title] of Object.entries(links)) {
        const broken = failures.filter((failure) => failure.link === link);
        cli.say(
          `  ${broken.length === 0 ? mark.good : mark.bad} ${title}`,
          ...broken.map(({ code, message }) => `      ${code}: ${message}`),
        );
      }
      cli.emit({
        release,
        ok: verification.ok,
        failures,
        ...(verification.ok && { record: verification.verified.release }),
      });
      if (!verification.ok) return cli.refuse();
      const { endpoint, revision, model } = verification.verified.release;
      cli.say(`The chain holds: ${endpoint} revision ${revision} serves model ${model}.`);
    });
}

async function findRelease(store: Store, name: string): Promise<Digest> {
  const digest = digestSchema.safeParse(name);
  if (digest.success) return digest.data;
  if (!nameSchema.safeParse(name).success) {
    throw new RefusedError('usage', `Expected the name of an endpoint or a sha256 digest, got ${name}`);
  }
  const pointer = await store.readRef(endpointRef(name));
  if (!pointer) throw new RefusedError('not-found', `The store knows no endpoint ${name}.`);
  return endpointPointerSchema.parse(pointer.value).release;
}
