/** Why a file cannot be a model; `decodeModel` turns it into a refusal. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

export function defect(message: string): UnreadableError {
  return new UnreadableError(message);
}
