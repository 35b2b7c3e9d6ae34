import { foreignKind } from '../foreign-kind.js';
import type { Rule } from '../rule.js';

export const fileKind: Rule = {
  id: 'ASSAY-ONNX-001',
  name: 'not-onnx',
  level: 'error',
  summary: 'The file is an ONNX model, not a pickle, archive, program or model of another format.',
  advice: 'Do not open it. Ask for the model as ONNX.',
  *check({ bytes }) {
    const kind = foreignKind(bytes);
    if (kind) yield { where: '', offset: 0, message: `expected an ONNX model, got ${kind.name}` };
    else if (bytes.length === 0) yield { where: '', message: 'expected an ONNX model, got an empty file' };
  },
};

export const fileSize: Rule = {
  id: 'ASSAY-ONNX-002',
  name: 'file-size',
  level: 'error',
  summary: 'The file is no longer than a protobuf message may be.',
  advice: 'Export a smaller model, or keep its weights in files beside it.',
  *check({ bytes, limits }) {
    if (bytes.length > limits.fileBytes) {
      yield { where: '', message: `expected at most ${limits.fileBytes} bytes, got ${bytes.length}` };
    }
  },
};
