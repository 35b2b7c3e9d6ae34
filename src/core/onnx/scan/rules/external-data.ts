import { modelRule } from '../rule.js';
import { quoted } from '../view.js';

/** Keys that the format defines for `external_data`. */
const keys = new Set(['location', 'offset', 'length', 'checksum', 'basepath']);

/**
 * @param location - as the model gives it
 * @returns why it may lead out of the model's folder; `undefined` when it is a plain relative path
 */
function wayOut(location: string): string | undefined {
  if (location === '') return 'no path';
  if (/[\p{C}]/u.test(location)) return 'a path with control characters';
  if (location.includes('\\')) return 'a path with a backslash';
  if (/^[A-Za-z]:/.test(location)) return 'a path with a drive or scheme';
  if (location.startsWith('/')) return 'an absolute path';
  const parts = location.split('/');
  if (parts.includes('..')) return 'a path that leaves the folder';
  return parts.some((part) => part === '' || part === '.') ? 'a path that is not plain' : undefined;
}

export const externalData = modelRule({
  id: 'ASSAY-ONNX-040',
  name: 'external-data',
  level: 'error',
  summary: "All weights are in the file, or, where that is allowed, in files of the model's own folder.",
  advice: 'Export the model with its weights inside: onnx.save(model, path, save_as_external_data=False).',
  *check({ tensors }, { options: { externalSize } }) {
    for (const { where, offset, external } of tensors) {
      if (!external) continue;
      const at = { where, offset };
      const names = external.map(([key]) => key);
      const odd = names.find((key, i) => !keys.has(key) || names.indexOf(key) !== i);
      if (odd !== undefined) yield { ...at, message: `expected each known key once, got ${quoted(odd)}` };
      const entries = new Map(external);
      const location = entries.get('location') ?? '';
      const way = wayOut(location);
      if (way !== undefined) {
        yield { ...at, message: `expected a file of the model's folder, got ${way}: ${quoted(location)}` };
        continue;
      }
      if (!externalSize) {
        yield { ...at, message: `expected data inside the file, got it in ${quoted(location)}` };
        continue;
      }
      const size = externalSize(location);
      if (size === undefined) {
        yield { ...at, message: `expected the file ${quoted(location)} in the model's folder, got none` };
        continue;
      }
      const [start, length] = ['offset', 'length'].map((key) => wholeNumber(entries.get(key)));
      if (Number.isNaN(start) || Number.isNaN(length)) {
        yield { ...at, message: 'expected offset and length as whole numbers' };
      } else if ((start ?? 0) + (length ?? 0) > size) {
        yield { ...at, message: `expected data within ${size} bytes of ${quoted(location)}, got beyond` };
      }
    }
  },
});

/** NaN for what is no number of at most 53 bits. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : Number.NaN;
}
