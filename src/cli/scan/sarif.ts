import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Finding, scanRules } from '../../core/onnx/index.js';
import type { ScannedFile } from './scan-files.js';

/** Rules about files in a folder, which are not models. */
const fileRules = [
  {
    id: 'ASSAY-FILE-001',
    name: 'foreign-file',
    level: 'error',
    summary: 'A folder of models holds no pickles, archives, programs or models of other formats.',
    advice: 'Remove it, or ask for the model as ONNX.',
  },
  {
    id: 'ASSAY-FILE-002',
    name: 'not-regular',
    level: 'error',
    summary: 'A folder of models holds regular files of a limited size only.',
    advice: 'Put the file itself there.',
  },
] as const;

/** `reportingDescriptor`s (SARIF 2.1.0, section 3.49). */
const descriptors = [...scanRules, ...fileRules].map(({ id, name, level, summary, advice }) => ({
  id,
  name,
  shortDescription: { text: summary },
  help: { text: advice },
  defaultConfiguration: { level },
}));

/**
 * The findings as a SARIF 2.1.0 log, as code-scanning services take it (OASIS, sections 3.13 to 3.30).
 *
 * @param folder - to which paths are relative
 */
export function sarifLog(files: readonly ScannedFile[], folder: string, version: string) {
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'assay scan', version, rules: descriptors } },
        invocations: [{ executionSuccessful: true }],
        artifacts: files.map(({ file, bytes, digest }) => ({
          location: { uri: uriOf(file, folder) },
          length: bytes,
          ...(digest !== undefined && { hashes: { 'sha-256': digest.replace('sha256:', '') } }),
        })),
        results: files.flatMap(({ file, findings }, index) =>
          findings.map((finding) => resultOf(finding, uriOf(file, folder), index)),
        ),
        columnKind: 'utf16CodeUnits',
      },
    ],
  };
}

function resultOf(finding: Finding, uri: string, index: number) {
  const { rule, level, where, offset, message, advice } = finding;
  return {
    ruleId: rule,
    ruleIndex: descriptors.findIndex(({ id }) => id === rule),
    level,
    message: { text: `${where === '' ? '' : `${where}: `}${message}. ${advice}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri, index },
          ...(offset !== undefined && { region: { byteOffset: offset } }),
        },
        ...(where !== '' && { logicalLocations: [{ fullyQualifiedName: where }] }),
      },
    ],
  };
}

/** Relative where the file lies below the folder, as code-scanning services expect; else whole. */
function uriOf(file: string, folder: string): string {
  const relative = path.relative(folder, path.resolve(folder, file));
  if (relative.startsWith('..') || path.isAbsolute(relative))
    return pathToFileURL(path.resolve(folder, file)).href;
  return relative.split(path.sep).map(encodeURIComponent).join('/');
}
