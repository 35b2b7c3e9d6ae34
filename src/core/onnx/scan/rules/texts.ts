import { findSecrets } from '../../../spec/index.js';
import { foreignKind } from '../foreign-kind.js';
import { payloadsIn } from '../payload.js';
import type { Rule, Subject } from '../rule.js';
import { modelRule } from '../rule.js';
import { quoted, type TextView, textsOf } from '../view.js';

/** In a file that cannot be read as a model, too. */
const everyText = ({ model, outline }: Subject): Iterable<TextView> => model?.texts ?? textsOf(outline);

export const payload: Rule = {
  id: 'ASSAY-ONNX-080',
  name: 'executable-payload',
  level: 'error',
  summary: 'No text of the model is a program, an archive, a pickle or a script, in whatever encoding.',
  advice: 'Do not load the file. Ask where it comes from.',
  *check(subject) {
    for (const { span, where, offset } of everyText(subject)) {
      for (const { what, level } of payloadsIn(subject.bytes.subarray(span.start, span.end))) {
        yield { where, offset, level, message: `expected text, got ${what}` };
      }
    }
  },
};

/** Of a tensor's bytes the first say what they are; numbers that look like one of these do not come about by chance. */
export const tensorPayload = modelRule({
  id: 'ASSAY-ONNX-081',
  name: 'payload-in-tensor',
  level: 'error',
  summary: 'No tensor is a program or an archive.',
  advice: 'Do not load the file. Ask where it comes from.',
  *check({ tensors }, { bytes }) {
    for (const { raw, where, offset } of tensors) {
      const kind = raw && foreignKind(bytes.subarray(raw.start, raw.end));
      if (kind && kind.name !== 'a Python pickle' && kind.executable) {
        yield { where, offset, message: `expected numbers, got ${kind.name}` };
      }
    }
  },
});

export const secret: Rule = {
  id: 'ASSAY-ONNX-082',
  name: 'secret',
  level: 'error',
  summary: 'The model holds no key, token or password.',
  advice: 'Revoke it, then export the model without it.',
  *check(subject) {
    for (const { span, where, offset } of everyText(subject)) {
      const text = Buffer.from(subject.bytes.subarray(span.start, span.end)).toString('latin1');
      // Never quoted: findings end up in logs.
      for (const { kind, offset: at } of findSecrets(text)) {
        yield { where, offset: offset + at, message: `expected no secret, got ${kind}` };
      }
    }
  },
};

/** Controls, and what turns or hides the letters beside it; documentation may have lines and tabs. */
const unseen =
  /[\p{Cc}\p{Zl}\p{Zp}\u{AD}\u{61C}\u{180E}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2069}\u{FEFF}\u{E0000}-\u{E007F}]/u;
const bidirectional = /[\u{61C}\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]/u;

export const unseenText = modelRule({
  id: 'ASSAY-ONNX-083',
  name: 'unseen-characters',
  level: 'error',
  summary: 'Names have no control characters and nothing that turns or hides letters.',
  advice: 'Rename it: what a person reads there is not what a program compares.',
  *check({ texts }, { bytes }) {
    for (const { span, where, offset, kind } of texts) {
      const text = Buffer.from(bytes.subarray(span.start, span.end)).toString('utf8');
      const found = (kind === 'name' ? unseen : bidirectional).exec(text);
      if (found) {
        const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
        yield { where, offset, message: `expected visible letters, got U+${code} in ${quoted(text)}` };
      }
    }
  },
});

export const longName = modelRule({
  id: 'ASSAY-ONNX-084',
  name: 'long-name',
  level: 'error',
  summary: 'Names are of a limited length.',
  advice: 'Rename it: a name of this length is data.',
  *check({ texts }, { limits }) {
    for (const { span, where, offset, kind } of texts) {
      const length = span.end - span.start;
      if (kind === 'name' && length > limits.nameBytes) {
        yield { where, offset, message: `expected at most ${limits.nameBytes} bytes, got ${length}` };
      }
    }
  },
});
