import { RefusedError } from '../errors/index.js';

/** The rows of the errors table that a request can fall under; the first that applies names the refusal. */
const precedence = ['batch-too-large', 'request-invalid', 'input-invalid'] as const;
type ProblemCode = (typeof precedence)[number];

const summaries: Readonly<Record<ProblemCode, string>> = {
  'batch-too-large': 'the batch is too large',
  'request-invalid': 'the request does not fit this model',
  'input-invalid': 'the input holds values that this model may not see',
};

/** More of them say nothing new, and a hostile body must not choose the size of the answer. */
const mostDetails = 50;
const longestDetail = 500;

/** Every problem of one request: all are counted, the first fifty are told. */
export interface RequestProblems {
  readonly count: () => number;
  readonly add: (code: ProblemCode, message: string) => void;
  readonly refusal: () => RefusedError;
}

export function requestProblems(): RequestProblems {
  const codes = new Set<ProblemCode>();
  const messages: string[] = [];
  let count = 0;
  return {
    count: () => count,
    add(code, message) {
      codes.add(code);
      count += 1;
      if (count <= mostDetails) messages.push(message.slice(0, longestDetail));
    },
    refusal() {
      const code = precedence.find((each) => codes.has(each)) ?? 'request-invalid';
      const details = count > mostDetails ? [...messages, `and ${count - mostDetails} more`] : messages;
      return new RefusedError(code, `${summaries[code]}: ${details[0]}`, details);
    },
  };
}

/** A client's text, safe to print: bounded, with control characters escaped. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
