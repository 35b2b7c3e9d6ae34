import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { digestSchema, nameSchema } from '../spec/index.js';

/**
 * Value of the ref `endpoints/NAME`: the release that the endpoint's workflow wants served. It is unsigned and moves
 * whoever can write to the store, so it grants nothing: a gateway serves what the signed release statement says.
 */
export const endpointPointerSchema = z.strictObject({
  /** Envelope of the release statement. */
  release: digestSchema,
  /** The revision that the statement names. */
  revision: z.int().min(1),
});
export type EndpointPointer = z.infer<typeof endpointPointerSchema>;

/**
 * Reads the value of an endpoint's ref.
 *
 * @throws RefusedError `record-corrupt`
 */
export function readEndpointPointer(endpoint: string, value: unknown): EndpointPointer {
  const { success, data } = endpointPointerSchema.safeParse(value);
  if (success) return data;
  throw new RefusedError(
    'record-corrupt',
    `expected { release, revision } in the ref ${endpointRef(endpoint)}`,
  );
}

const prefix = 'endpoints/';

/** The prefix under which a store lists all endpoints. */
export const endpointRefPrefix = prefix;

/** The ref of an endpoint. */
export function endpointRef(endpoint: string): string {
  return `${prefix}${nameSchema.parse(endpoint)}`;
}

/** The endpoint that a ref belongs to, or undefined for any other ref. */
export function endpointOfRef(ref: string): string | undefined {
  if (!ref.startsWith(prefix)) return undefined;
  const name = nameSchema.safeParse(ref.slice(prefix.length));
  return name.success ? name.data : undefined;
}
