import type { Command } from 'commander';
import type { Digest } from '../../core/spec/index.js';
import { openStore } from '../../core/store/index.js';
import { followPolicy, type Lineage, traceLineage } from '../../core/trust/index.js';
import { type CliContext, mark } from '../context.js';
import { readTrustFile } from '../trust-file.js';
import { readDigest } from './sign-with.js';

/** `assay data lineage DIGEST`: down to the raw sources, up to the releases. */
export function registerLineage(data: Command, context: () => CliContext): void {
  data
    .command('lineage')
    .description('walk from a source, snapshot or model to what it was made of, and to what was made of it')
    .argument('<digest>', 'the source, the snapshot or the model')
    .action(async (text: string) => {
      const cli = context();
      const digest = readDigest(text);
      const store = await openStore(cli.paths.store);
      const now = new Date();
      const policy = await followPolicy(store, readTrustFile(cli.paths.trust), now);
      const lineage = await traceLineage(store, policy, digest, now);
      cli.say(...lineageLines(lineage, digest));
      cli.emit({ start: digest, ...lineage });
    });
}

/** A tree from the roots down; what has several origins is told once in full. */
function lineageLines({ nodes, edges }: Lineage, start: Digest): readonly string[] {
  const byDigest = new Map(nodes.map((node) => [node.digest, node]));
  const told = new Set<Digest>();
  const lines: string[] = [];
  const tell = (digest: Digest, indent: string, how: string): void => {
    const node = byDigest.get(digest)!;
    const again = told.has(digest);
    told.add(digest);
    const about = node.about.length > 0 ? `  ${node.about.join('; ')}` : '';
    const name = `${how}${node.kind} ${digest}`;
    lines.push(`${indent}${digest === start ? mark.bold(name) : name}${again ? '  (see above)' : about}`);
    for (const revocation of again ? [] : node.revoked)
      lines.push(`${indent}  ${mark.bad} revoked by ${revocation}`);
    if (again) return;
    for (const edge of edges) if (edge.from === digest) tell(edge.to, `${indent}  `, `${edge.kind} → `);
  };
  const made = new Set(edges.map(({ to }) => to));
  for (const { digest } of nodes) if (!made.has(digest)) tell(digest, '', '');
  return lines;
}
