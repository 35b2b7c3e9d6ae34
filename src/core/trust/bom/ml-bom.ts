import type { Digest } from '../../spec/index.js';
import { uriOf } from '../links/verification-summary.js';
import { type Bom, bomPredicate } from '../statements/bom.js';
import { digestNamed } from '../statements/predicate.js';
import type { Materials, PinnedPackage } from './materials.js';
import { modelCardOf } from './model-card.js';

/**
 * Writes the bill of materials of a release: the model with its card, the data and where they came from, and the programs that
 * made it (CycloneDX 1.6, ML-BOM). Equal materials give equal bytes: nothing is drawn, and no clock is read.
 */
export function mlBom(materials: Materials): Bom {
  const { release, record, card, files, data, provenance, sources, packages, assayVersion } = materials;
  const { resolvedDependencies } = provenance.buildDefinition;
  const onnx = files.find(({ path }) => path === 'model.onnx');
  const program = digestNamed(resolvedDependencies, 'program');
  const parent = digestNamed(resolvedDependencies, 'parent');
  const origins = new Map([
    [data.source, data.checks.source],
    ...Object.entries(data.account?.files ?? {}).map(([name, digest]) => [digest, name] as const),
  ]);
  const libraries = [...packages].sort((a, b) => (purlOf(a) < purlOf(b) ? -1 : 1));
  const assay: PinnedPackage = { ecosystem: 'npm', name: 'assay', version: assayVersion };
  const uses = [
    card.snapshot,
    ...libraries.map(purlOf),
    ...(program ? [program] : []),
    ...(parent ? [parent] : []),
  ];
  return bomPredicate.schema.parse({
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(release)}`,
    version: 1,
    metadata: {
      timestamp: record.createdAt,
      tools: { components: [{ type: 'application', name: assay.name, version: assay.version }] },
      component: {
        type: 'machine-learning-model',
        'bom-ref': record.model,
        name: card.name,
        version: `${record.endpoint}/${record.revision}`,
        ...(onnx && { hashes: hashesOf(onnx.digest) }),
        externalReferences: statementsOf(materials),
        modelCard: modelCardOf(materials),
        properties: [
          { name: 'assay:model', value: record.model },
          ...files.map(({ path, digest }) => ({ name: `assay:file:${path}`, value: digest })),
        ],
      },
    },
    components: [
      datasetOf(materials),
      ...[...origins].map(([origin, name]) => sourceOf(origin, name, sources)),
      ...(parent
        ? [{ type: 'machine-learning-model', 'bom-ref': parent, name: 'parent', hashes: hashesOf(parent) }]
        : []),
      ...(program
        ? [{ type: 'application', 'bom-ref': program, name: 'trainer', hashes: hashesOf(program) }]
        : []),
      ...libraries.map(libraryOf),
    ],
    dependencies: [
      { ref: record.model, dependsOn: uses },
      { ref: card.snapshot, dependsOn: [...origins.keys()] },
    ],
    // Of a trainer that brings its own packages, those are listed that it pins in a requirements file.
    compositions: [{ aggregate: 'incomplete', dependencies: [record.model] }],
    externalReferences: [{ type: 'attestation', url: uriOf(release), comment: 'release' }],
  });
}

function statementsOf({ record }: Materials) {
  return Object.entries(record.chain).flatMap(([comment, digests]) =>
    [digests ?? []].flat().map((digest) => ({ type: 'attestation', url: uriOf(digest), comment })),
  );
}

function datasetOf({ card, data }: Materials) {
  const { train, validation, test } = data.rows;
  const { account } = data;
  const properties = [
    ...Object.entries({ train, validation, test }).map(([split, rows]) => ({
      name: `assay:rows:${split}`,
      value: String(rows),
    })),
    ...(account ? [{ name: 'assay:rows:read', value: String(account.read) }] : []),
    ...(account ? [{ name: 'assay:rows:set-aside', value: String(account.refused) }] : []),
    { name: 'assay:attested-at', value: data.attestedAt },
  ];
  return {
    type: 'data',
    'bom-ref': card.snapshot,
    name: `${card.name} snapshot`,
    version: card.snapshot,
    hashes: hashesOf(card.snapshot),
    data: [
      { type: 'dataset', name: `${card.name} snapshot`, contents: { url: uriOf(card.snapshot), properties } },
    ],
  };
}

function sourceOf(digest: Digest, name: string, sources: Materials['sources']) {
  const said = sources.get(digest);
  return {
    type: 'data',
    'bom-ref': digest,
    name: said?.name ?? name,
    ...(said && { supplier: { name: said.supplier } }),
    ...(said?.license && { licenses: [{ expression: said.license }] }),
    ...(said?.origin && { description: said.origin }),
    hashes: hashesOf(digest),
    data: [
      {
        type: 'dataset',
        name: said?.name ?? name,
        contents: { url: uriOf(digest) },
        ...(said && { governance: { owners: [{ organization: { name: said.supplier } }] } }),
      },
    ],
  };
}

function libraryOf(library: PinnedPackage) {
  const { name, version } = library;
  return { type: 'library', 'bom-ref': purlOf(library), name, version, purl: purlOf(library) };
}

/** Names of npm and PyPI have no characters here that a package URL would have to escape but for `@` and `/`. */
function purlOf({ ecosystem, name, version }: PinnedPackage): string {
  return `pkg:${ecosystem}/${encodeURIComponent(name).replaceAll('%2F', '/')}@${encodeURIComponent(version)}`;
}

function hashesOf(digest: Digest) {
  return [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }];
}

/** A version 8 UUID (RFC 9562, section 5.8) made of a digest: one release, one serial number. */
function uuidOf(digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
