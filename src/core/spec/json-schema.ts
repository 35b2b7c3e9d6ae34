import { z } from 'zod';
import { lifecycleSchema } from './lifecycle.js';

/** A JSON Schema of draft 2020-12. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * The JSON Schema (draft 2020-12) of `lifecycle.yaml`, generated from the zod schema that {@link parseLifecycle}
 * uses, so that an editor's completion cannot disagree with the parser. Rules between fields are the parser's alone.
 */
export function lifecycleJsonSchema(): JsonSchema {
  const schema: JsonSchema = z.toJSONSchema(lifecycleSchema, { io: 'input', target: 'draft-2020-12' });
  return { ...schema, $id: 'urn:assay:lifecycle:v1', title: 'Assay lifecycle' };
}

/** {@link lifecycleJsonSchema} as the text of `docs/schema/lifecycle.schema.json`. */
export function lifecycleJsonSchemaText(): string {
  return `${JSON.stringify(lifecycleJsonSchema(), null, 2)}\n`;
}

/**
 * The fields that an object may have at a path, read from the schema and, where the schema offers alternatives,
 * from the root value: the branch whose constants agree with it.
 * @returns undefined when the schema fixes no names there
 */
export function fieldsAt(
  schema: JsonSchema,
  path: readonly PropertyKey[],
  value: unknown,
): readonly string[] | undefined {
  const chosen = chooseBranch(schema, value);
  const [key, ...rest] = path;
  if (key === undefined) return chosen?.properties && Object.keys(chosen.properties);
  const next = typeof key === 'number' ? chosen?.items : chosen?.properties?.[String(key)];
  return isSchema(next) ? fieldsAt(next, rest, member(value, key)) : undefined;
}

/** `true` and `false` are schemas too, and arrays of schemas describe tuples: neither has fields of its own. */
function isSchema(schema: JsonSchema['items']): schema is JsonSchema {
  return typeof schema === 'object' && !Array.isArray(schema);
}

function chooseBranch(schema: JsonSchema, value: unknown): JsonSchema | undefined {
  if (schema.oneOf === undefined) return schema;
  return schema.oneOf.find((branch) =>
    Object.entries(branch.properties ?? {}).every(
      ([name, property]) =>
        !isSchema(property) || property.const === undefined || property.const === member(value, name),
    ),
  );
}

function member(value: unknown, key: PropertyKey): unknown {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
