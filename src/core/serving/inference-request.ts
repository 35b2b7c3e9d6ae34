import { z } from 'zod';
import type { ModelCard, Reveals } from '../spec/index.js';
import { type OutputName, outputNamesOf } from './inference-response.js';
import { quoted, type RequestProblems, requestProblems } from './request-problems.js';
import { readSamples, type Samples } from './samples.js';
import { readTexts } from './texts.js';

/** The protocol leaves parameters to each server; this one has none, so they are allowed and mean nothing. */
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional();

/** A request as the protocol has it; what the model takes is for its card to say. */
export const inferenceRequestSchema = z.strictObject({
  id: z.string().max(256).optional(),
  parameters,
  inputs: z
    .array(
      z.strictObject({
        name: z.string(),
        shape: z.array(z.int().min(0)).max(8),
        datatype: z.string(),
        parameters,
        // Its elements are checked against the shape, all problems at once, at a fraction of zod's cost.
        data: z.custom<readonly unknown[]>(Array.isArray, { message: 'expected an array' }),
      }),
    )
    .length(1),
  outputs: z
    .array(z.strictObject({ name: z.string(), parameters }))
    .min(1)
    .max(8)
    .optional(),
});

/** A request that the model may see. */
export interface InferenceRequest extends Samples {
  /** Chosen by the client, echoed in the answer. */
  readonly id: string | undefined;
  /** What the client wants, in its order. */
  readonly outputs: readonly OutputName[];
}

/** The tensor that a request must hold, as the protocol describes it: texts, for a model of texts. */
export function describeInput({ input }: ModelCard) {
  return input.text
    ? { name: input.text.column, datatype: 'BYTES', shape: [-1] }
    : { name: input.name, datatype: 'FP32', shape: [-1, ...input.shape] };
}

/**
 * Checks an Open Inference Protocol V2 request against a model card.
 *
 * @param reveals - what may be asked for
 * @param body - the parsed JSON body, trusted for nothing
 * @param mostSamples - largest batch accepted
 * @returns values that are finite and inside the card's range, in the card's shape
 * @throws RefusedError `batch-too-large`, `request-invalid` or `input-invalid` (the first that applies); its details
 * list every problem, the first fifty in words
 */
export function readInferenceRequest(
  card: ModelCard,
  reveals: Pick<Reveals, 'outputs'>,
  body: unknown,
  mostSamples: number,
): InferenceRequest {
  const problems = requestProblems();
  const parsed = inferenceRequestSchema.safeParse(body);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const where = issue.path.length === 0 ? 'body' : issue.path.map(String).join('.');
      problems.add('request-invalid', `${where}: ${issue.message}`);
    }
    throw problems.refusal();
  }
  const { id, inputs, outputs: requested } = parsed.data;
  const outputs = readOutputs(outputNamesOf(card, reveals), requested, problems);
  const { text } = card.input;
  const samples = text
    ? readTexts(text, inputs[0]!, mostSamples, problems)
    : readSamples(card, inputs[0]!, mostSamples, problems);
  if (problems.count() > 0) throw problems.refusal();
  return { id, outputs, ...samples };
}

function readOutputs(
  outputNames: readonly OutputName[],
  requested: readonly { readonly name: string }[] | undefined,
  problems: RequestProblems,
): readonly OutputName[] {
  if (requested === undefined) return outputNames;
  const outputs: OutputName[] = [];
  for (const [index, { name }] of requested.entries()) {
    const output = outputNames.find((known) => known === name);
    if (output === undefined) {
      const expected = outputNames.map(quoted).join(' or ');
      problems.add('request-invalid', `outputs.${index}.name: expected ${expected}, got ${quoted(name)}`);
    } else if (outputs.includes(output)) {
      problems.add(
        'request-invalid',
        `outputs.${index}.name: expected each output once, got ${output} again`,
      );
    } else outputs.push(output);
  }
  return outputs;
}
