import { z } from 'zod';

/** A name that is safe in URLs, file names, Temporal ids and Kubernetes labels. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'expected 1 to 63 lower-case letters, digits and inner dashes',
  );
