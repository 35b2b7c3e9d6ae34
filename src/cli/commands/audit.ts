import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { endpointOfRef, endpointRefPrefix, readEndpointPointer } from '../../core/serving/index.js';
import { openStore, type Store } from '../../core/store/index.js';
import {
  type AuditEntry,
  appendDecision,
  followPolicy,
  type KnownOfLog,
  type LoggedEntry,
  openSigner,
  proveEntry,
  readLog,
  tilesOf,
  verifyLog,
  type Witness,
  witnessLog,
} from '../../core/trust/index.js';
import { type CliContext, currentUser, mark } from '../context.js';
import { writeFileWhole } from '../state.js';
import { readTrustFile } from '../trust-file.js';

interface VerifyOptions {
  readonly since: readonly string[];
  readonly witness: readonly string[];
  readonly trust?: string;
}

/** `assay audit`: the log of who decided what. */
export function registerAudit(program: Command, context: () => CliContext): void {
  const audit = program.command('audit').description('show, verify and export the log of every decision');
  audit
    .command('show')
    .description('list the decisions, oldest first')
    .option('--endpoint <name>', 'only those about this endpoint')
    .action(async ({ endpoint }: { endpoint?: string }) => {
      const cli = context();
      const entries = (await readLog(await openStore(cli.paths.store))).filter(
        ({ entry }) => endpoint === undefined || entry.endpoint === endpoint,
      );
      cli.say(...entries.map(lineOf));
      cli.emit(entries.map(({ index, entry }) => ({ index, ...entry })));
    });
  audit
    .command('verify')
    .description('take every hash again, and compare with what was seen before and what is published')
    .option('--since <file...>', 'checkpoints that were kept: the log has to go on from each', [])
    .option(
      '--witness <name=file...>',
      'public keys (Ed25519, PEM) of witnesses: what they cosigned last must be there',
      [],
    )
    .option('--trust <file>', 'trust policy; default: the one in the state folder')
    .action(async (options: VerifyOptions) => {
      const cli = context();
      const store = await openStore(cli.paths.store);
      const policy = await followPolicy(store, readTrustFile(options.trust ?? cli.paths.trust), new Date());
      const kept = options.since.map((file) => readFileSync(file, 'utf8'));
      const published = await publishedReleases(store);
      const { entries, failures } = await verifyLog(store, policy, { checkpoints: kept, published });
      const cosigned = await Promise.all(options.witness.map((text) => cosignedBy(store, readWitness(text))));
      const rewritten = await Promise.all(
        cosigned.map(async (known) => (await verifyLog(store, policy, known)).failures),
      );
      const all = [...failures, ...rewritten.flat().filter(({ code }) => code === 'history-rewritten')];
      for (const { code, index, message } of all) {
        cli.say(`${mark.bad} ${index === undefined ? '' : `entry ${index}: `}${code}: ${message}`);
      }
      cli.emit({ ok: all.length === 0, entries: entries.length, failures: all });
      if (all.length > 0) return cli.refuse();
      cli.say(`${mark.good} ${entries.length} decisions, none of them changed, left out or hidden.`);
    });
  audit
    .command('prove')
    .description(
      'prove that a decision is in the log, to people who have nothing else of it (c2sp.org/tlog-proof)',
    )
    .argument('<index>', 'number of the entry, as `assay audit show` lists it')
    .action(async (index: string) => {
      const cli = context();
      const proof = proveEntry(await readLog(await openStore(cli.paths.store)), Number(index));
      cli.say(proof.trimEnd());
      cli.emit({ proof });
    });
  audit
    .command('export')
    .description('write the log as files for any web server (c2sp.org/tlog-tiles)')
    .argument('<folder>', 'a folder that does not exist')
    .action(async (folder: string) => {
      const cli = context();
      if (existsSync(folder)) throw new RefusedError('folder-exists', `${folder} exists.`);
      const entries = await readLog(await openStore(cli.paths.store));
      for (const [name, content] of tilesOf(entries)) {
        const file = path.join(folder, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
      cli.say(`${entries.length} decisions are in ${folder}; its checkpoint is what to keep.`);
      cli.emit({ folder, entries: entries.length });
    });
  audit
    .command('witness')
    .description(
      'cosign the newest checkpoint, if the log goes on from the last one that this witness cosigned',
    )
    .requiredOption('--name <name>', 'the name of the witness, such as witness.example.com')
    .requiredOption('--key <file>', 'its private key: Ed25519, PEM')
    .requiredOption('--memory <file>', 'keeps what was cosigned last; the witness alone may write it')
    .action(async ({ name, key, memory }: { name: string; key: string; memory: string }) => {
      const cli = context();
      const store = await openStore(cli.paths.store);
      const policy = await followPolicy(store, readTrustFile(cli.paths.trust), new Date());
      const privateKey = ed25519(() => createPrivateKey(readFileSync(key)));
      const witness = { name, publicKey: createPublicKey(privateKey) };
      const last = existsSync(memory) ? readFileSync(memory, 'utf8') : undefined;
      const cosigned = witnessLog(await readLog(store), policy, last, witness, privateKey, new Date());
      writeFileWhole(memory, cosigned);
      await publishCosigned(store, name, cosigned);
      cli.say(cosigned.trimEnd());
      cli.emit({ checkpoint: cosigned });
    });
  audit
    .command('take-over')
    .description('go on with a log whose last signer is no longer believed, once it was looked through')
    .requiredOption('--reason <text>', 'why; it stays in the log')
    .option('--key <file>', 'PEM file or awskms:///…; default: the signing key of the state folder')
    .option('--passphrase <reference>', 'where the passphrase of the key is kept: env:NAME, file:PATH, …')
    .action(async (options: { reason: string; key?: string; passphrase?: string }) => {
      const cli = context();
      const store = await openStore(cli.paths.store);
      const policy = await followPolicy(store, readTrustFile(cli.paths.trust), new Date());
      const { failures } = await verifyLog(store, policy);
      const details = failures
        .filter(({ code }) => code !== 'checkpoint-unsigned')
        .map(({ message }) => message);
      if (details.length > 0) throw new RefusedError('log-unverified', 'expected a log that holds', details);
      const { key = cli.paths.privateKey, passphrase, reason } = options;
      const signer = await openSigner({ key, ...(passphrase && { passphrase }) });
      const at = new Date().toISOString();
      const entry: AuditEntry = { version: 1, decision: 'taken-over', by: currentUser(), reason, at };
      const index = await appendDecision(store, signer, policy, entry, 'taken-over');
      cli.say(`Entry ${index} goes on from what was there, signed by ${signer.keyId}.`);
      cli.emit({ index });
    });
}

function lineOf({ index, entry }: LoggedEntry): string {
  const { decision, endpoint, revision, by, reason, at } = entry;
  const what = [endpoint, revision && `revision ${revision}`].filter(Boolean).join(' ');
  return `${String(index).padStart(5)}  ${at}  ${decision.padEnd(11)}  ${what}  by ${by}: ${reason}`;
}

async function publishedReleases(store: Store) {
  const published: NonNullable<KnownOfLog['published']>[number][] = [];
  for (const ref of await store.listRefs(endpointRefPrefix)) {
    const endpoint = endpointOfRef(ref);
    if (!endpoint) continue;
    for await (const { value } of store.refHistory(ref)) {
      published.push({ endpoint, ...readEndpointPointer(endpoint, value) });
    }
  }
  return published;
}

const witnessRef = (name: string) => `audit/witnesses/${name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')}`;

async function publishCosigned(store: Store, name: string, cosigned: string): Promise<void> {
  for (;;) {
    const newest = await store.readRef(witnessRef(name));
    if (newest?.value === cosigned || (await store.moveRef(witnessRef(name), newest, cosigned))) return;
  }
}

/** @throws RefusedError `not-found` */
async function cosignedBy(store: Store, witness: Witness): Promise<KnownOfLog> {
  const newest = await store.readRef(witnessRef(witness.name));
  if (typeof newest?.value !== 'string') {
    throw new RefusedError('not-found', `The store holds nothing that ${witness.name} cosigned.`);
  }
  return { checkpoints: [newest.value], witnesses: [witness] };
}

function readWitness(text: string): Witness {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!name || !file) throw new RefusedError('usage', `Expected NAME=FILE, got ${text}`);
  return { name, publicKey: ed25519(() => createPublicKey(readFileSync(file))) };
}

function ed25519(read: () => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read();
  } catch {
    // Reported below, without a word of its text.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new RefusedError('key-invalid', 'expected an Ed25519 key in PEM, got something else');
}
