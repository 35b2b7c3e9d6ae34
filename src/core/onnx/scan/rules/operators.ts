import { knownOperators } from '../known-operators.js';
import { modelRule } from '../rule.js';
import { quoted, shown } from '../view.js';

/** Operator sets that ONNX Runtime 1.30 promises to run as they are defined. */
export const supportedOpsets = { from: 7, to: 26 } as const;
const supportedIr = { from: 3, to: 13 } as const;

export const opsetRange = modelRule({
  id: 'ASSAY-ONNX-020',
  name: 'opset-range',
  level: 'error',
  summary: 'The model says once which operator set and format version it is of, and both are supported.',
  advice: `Export with an operator set of ${supportedOpsets.from} to ${supportedOpsets.to}; 17 suits most models.`,
  *check({ irVersion, opsets }) {
    if (irVersion === undefined || irVersion < supportedIr.from || irVersion > supportedIr.to) {
      const got = irVersion ?? 'none';
      yield {
        where: 'irVersion',
        message: `expected format version ${supportedIr.from} to ${supportedIr.to}, got ${got}`,
      };
    }
    const seen = new Set<string>();
    for (const { domain, version } of opsets) {
      const name = domain === 'ai.onnx' ? '' : domain;
      if (seen.has(name)) {
        yield { where: 'opsetImport', message: `expected each domain once, got ${quoted(domain)} twice` };
      }
      seen.add(name);
      const { from, to } = name === '' ? supportedOpsets : { from: 1, to: 1000 };
      if (version < from || version > to) {
        const what = `operator set of ${name === '' ? 'ai.onnx' : shown(name)}`;
        yield { where: 'opsetImport', message: `expected ${what} ${from} to ${to}, got ${version}` };
      }
    }
    if (opsets.length === 0) yield { where: 'opsetImport', message: 'expected an operator set, got none' };
  },
});

export const unknownDomain = modelRule({
  id: 'ASSAY-ONNX-021',
  name: 'unknown-domain',
  level: 'error',
  summary: "Operators are ONNX's own: those of other domains are code that a library brings along.",
  advice: 'Export with standard operators, or allow the domain if you know what implements it.',
  *check({ opsets, nodes }, { options }) {
    const known = (domain: string) => knownOperators.has(domain) || options.domains?.includes(domain);
    for (const { domain } of opsets) {
      if (!known(domain)) {
        yield { where: 'opsetImport', message: `expected a domain of ONNX, got ${quoted(domain)}` };
      }
    }
    const imported = new Set(opsets.map(({ domain }) => (domain === 'ai.onnx' ? '' : domain)));
    for (const { domain, where, offset } of nodes) {
      if (!known(domain)) {
        yield { where, offset, message: `expected a domain of ONNX, got ${quoted(domain)}` };
      } else if (!imported.has(domain === 'ai.onnx' ? '' : domain)) {
        yield { where, offset, message: `expected an imported domain, got ${quoted(domain)}` };
      }
    }
  },
});

export const unknownOperator = modelRule({
  id: 'ASSAY-ONNX-022',
  name: 'unknown-operator',
  level: 'error',
  summary: 'Each operator exists in the operator set that the model names.',
  advice: 'Export with standard operators of the operator set that the model says it is of.',
  *check({ opsets, nodes }) {
    for (const { domain, opType, overload, where, offset } of nodes) {
      const first = knownOperators.get(domain)?.get(opType);
      const version = opsets.find((entry) => sameDomain(entry.domain, domain))?.version;
      if (knownOperators.has(domain) && first === undefined) {
        yield { where, offset, message: `expected an operator of ONNX, got ${quoted(opType)}` };
      } else if (first !== undefined && version !== undefined && version < first) {
        const message = `expected an operator of version ${version}, got ${opType}, which came with ${first}`;
        yield { where, offset, message };
      }
      if (overload !== '') yield { where, offset, message: `expected no overload, got ${quoted(overload)}` };
    }
  },
});

const sameDomain = (a: string, b: string): boolean =>
  (a === 'ai.onnx' ? '' : a) === (b === 'ai.onnx' ? '' : b);

export const ownFunctions = modelRule({
  id: 'ASSAY-ONNX-023',
  name: 'functions',
  level: 'error',
  summary: 'A model defines no operators of its own: they may stand in for standard ones.',
  advice: 'Inline the functions: onnx.inliner.inline_local_functions(model).',
  *check(_, { outline }) {
    for (const { path, start } of outline.messages.functions ?? []) {
      yield { where: path(), offset: start, message: 'expected no function, got one' };
    }
  },
});

export const trainingInfo = modelRule({
  id: 'ASSAY-ONNX-024',
  name: 'training-info',
  level: 'error',
  summary: 'A model carries no graphs for training it: no runtime that serves it looks at them.',
  advice: 'Remove them: model.ClearField("training_info").',
  *check(_, { outline }) {
    for (const { path, start } of outline.messages.trainingInfo ?? []) {
      yield { where: path(), offset: start, message: 'expected no training information, got some' };
    }
  },
});
