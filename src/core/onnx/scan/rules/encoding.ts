import type { Fault } from '../outline.js';
import type { Problem, Rule, Subject } from '../rule.js';

const faultsOf = (kind: Fault['kind']) =>
  function* ({ faults }: Subject): Generator<Problem> {
    for (const { kind: own, where, offset, message } of faults)
      if (own === kind) yield { where, offset, message };
  };

const again = 'Export the model again; a file that one reader forgives may be another model to the next.';

export const malformed: Rule = {
  id: 'ASSAY-ONNX-010',
  name: 'malformed',
  level: 'error',
  summary:
    'Every byte belongs to a field of the ONNX format, with nothing cut off and nothing behind the last.',
  advice: again,
  check: faultsOf('malformed'),
};

export const unknownField: Rule = {
  id: 'ASSAY-ONNX-011',
  name: 'unknown-field',
  level: 'error',
  summary: 'A model holds no field that ONNX does not define.',
  advice: again,
  check: faultsOf('unknown-field'),
};

export const givenTwice: Rule = {
  id: 'ASSAY-ONNX-012',
  name: 'field-given-twice',
  level: 'error',
  summary: 'A field that holds one value is given once.',
  advice: again,
  check: faultsOf('given-twice'),
};

export const nesting: Rule = {
  id: 'ASSAY-ONNX-013',
  name: 'nested-too-deep',
  level: 'error',
  summary: 'Messages are nested to a limited depth.',
  advice: 'Export the model without subgraphs inside subgraphs.',
  check: faultsOf('too-deep'),
};

export const notText: Rule = {
  id: 'ASSAY-ONNX-014',
  name: 'not-utf8',
  level: 'error',
  summary: 'Names, documentation and metadata are UTF-8.',
  advice: again,
  check: faultsOf('not-text'),
};

export const tooMany: Rule = {
  id: 'ASSAY-ONNX-015',
  name: 'too-many-parts',
  level: 'error',
  summary: 'A model has a limited number of nodes, of other parts, and of bytes of text.',
  advice: 'Export a smaller graph, or raise the limit if the model is yours.',
  *check(subject) {
    yield* faultsOf('too-many')(subject);
    const { model, limits } = subject;
    if (!model) return;
    if (model.nodes.length > limits.nodes) {
      yield { where: 'graph', message: `expected at most ${limits.nodes} nodes, got ${model.nodes.length}` };
    }
    const textBytes = model.texts.reduce((sum, { span }) => sum + span.end - span.start, 0);
    if (textBytes > limits.textBytes) {
      yield { where: '', message: `expected at most ${limits.textBytes} bytes of text, got ${textBytes}` };
    }
  },
};
