/** The whole text, or one field of it where it is a JSON object of texts; undefined where there is no such field. */
export function fieldOf(text: string, field: string | undefined): string | undefined {
  if (field === undefined) return text;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof content !== 'object' || content === null || !Object.hasOwn(content, field)) return undefined;
  const value = (content as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : undefined;
}
