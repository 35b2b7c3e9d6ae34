/** Indices of the samples of each class. */
export function byClass(labels: Uint32Array, classes: number): readonly (readonly number[])[] {
  const members: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, index) => {
    members[label]!.push(index);
  });
  return members;
}
