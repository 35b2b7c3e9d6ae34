import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { type EndpointPointer, endpointRef, readEndpointPointer } from '../../core/serving/index.js';
import { type Digest, digestSchema, nameSchema } from '../../core/spec/index.js';
import { openStore, type Store } from '../../core/store/index.js';
import { type ChainLink, type ExpectedRelease, followPolicy, verifyRelease } from '../../core/trust/index.js';
import { type CliContext, mark } from '../context.js';
import { readTrustFile } from '../trust-file.js';

const links: Record<ChainLink, string> = {
  policy: 'trust policy',
  release: 'release statement',
  model: 'model files match their digests',
  signature: 'model signature (OMS)',
  provenance: 'training provenance (SLSA)',
  data: 'data statement',
  tests: 'test results of every gate',
  waivers: 'waivers',
  verification: 'verification summary',
  request: 'signed requests of the people who asked',
  approval: 'approvals',
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
      const store = await openStore(cli.paths.store);
      const pinned = readTrustFile(options.trust ?? cli.paths.trust);
      const trust = await followPolicy(store, pinned, new Date());
      const { release, ...expected } = await findRelease(store, name);
      const verification = await verifyRelease(store, trust, release, expected);
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
      const { endpoint, revision, model, requestedBy, requests } = verification.verified.release;
      cli.say(`The chain holds: ${endpoint} revision ${revision} serves model ${model}.`);
      cli.say(`Asked for by ${requestedBy}${requests ? ', under their own key' : ', who did not sign'}.`);
    });
}

/** The release to verify, and what must be true of it. */
async function findRelease(store: Store, name: string): Promise<{ release: Digest } & ExpectedRelease> {
  const digest = digestSchema.safeParse(name);
  if (digest.success) return { release: digest.data };
  if (!nameSchema.safeParse(name).success) {
    throw new RefusedError('usage', `Expected the name of an endpoint or a sha256 digest, got ${name}`);
  }
  const pointers: EndpointPointer[] = [];
  for await (const { value } of store.refHistory(endpointRef(name))) {
    pointers.push(readEndpointPointer(name, value));
  }
  const [live] = pointers;
  if (!live) throw new RefusedError('not-found', `The store knows no endpoint ${name}.`);
  // Whoever can write to the store can point an endpoint back to a release that was signed once.
  const newest = Math.max(...pointers.map(({ revision }) => revision));
  return { release: live.release, endpoint: name, afterRevision: newest - 1 };
}
