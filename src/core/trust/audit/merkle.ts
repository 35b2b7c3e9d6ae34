import { createHash } from 'node:crypto';

/*
 * The Merkle tree of an append-only log (RFC 9162, section 2.1; RFC 6962 has the same one). Hashes are 32 bytes of SHA-256.
 * Leaves and nodes are hashed apart, so that neither can be taken for the other.
 */

export type Hash = Uint8Array;

const sha256 = (...parts: readonly Uint8Array[]): Hash => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Root of the tree without leaves. */
export const emptyRoot: Hash = sha256();

export function leafHash(entry: Uint8Array): Hash {
  return sha256(Uint8Array.of(0), entry);
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(Uint8Array.of(1), left, right);
}

/** The largest power of two below n, for n > 1. */
function splitOf(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** Root over leaf hashes (section 2.1.1). */
export function rootOf(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return leaves[0]!;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/**
 * What of a tree it takes to append to it: the roots of the perfect subtrees that it is made of, largest first, one for each
 * 1 in the binary size.
 */
export interface Frontier {
  readonly size: number;
  readonly peaks: readonly Hash[];
}

export const emptyFrontier: Frontier = { size: 0, peaks: [] };

/** The frontier with one leaf more: as carrying over when 1 is added to a binary number. */
export function appended({ size, peaks }: Frontier, leaf: Hash): Frontier {
  const rest = [...peaks];
  let carried = leaf;
  for (let bits = size; bits % 2 === 1; bits = (bits - 1) / 2) carried = nodeHash(rest.pop()!, carried);
  return { size: size + 1, peaks: [...rest, carried] };
}

/** Root of the tree with this frontier. */
export function rootOfFrontier({ peaks }: Frontier): Hash {
  return peaks.length === 0 ? emptyRoot : peaks.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * Proves that a leaf is in the tree of these leaves (section 2.1.3.1).
 *
 * @param index - from 0, below the number of leaves
 */
export function inclusionProof(leaves: readonly Hash[], index: number): readonly Hash[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionProof(left, index), rootOf(right)]
    : [...inclusionProof(right, index - split), rootOf(left)];
}

/** Whether a proof leads from a leaf to the root of a tree of that size (section 2.1.3.2). */
export function includes(
  { size, root }: { readonly size: number; readonly root: Hash },
  leaf: Hash,
  index: number,
  proof: readonly Hash[],
): boolean {
  if (index < 0 || index >= size) return false;
  let [at, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else hash = nodeHash(hash, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(hash, root);
}

/**
 * Proves that the tree of the first `size` leaves is the beginning of the tree of all of them (section 2.1.4.1).
 *
 * @param size - from 1, at most the number of leaves
 */
export function consistencyProof(leaves: readonly Hash[], size: number): readonly Hash[] {
  return subproof(size, leaves, true);
}

function subproof(size: number, leaves: readonly Hash[], whole: boolean): readonly Hash[] {
  if (size === leaves.length) return whole ? [] : [rootOf(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return size <= split
    ? [...subproof(size, left, whole), rootOf(right)]
    : [...subproof(size - split, right, false), rootOf(left)];
}

/** Whether a proof shows that one tree is the beginning of another (section 2.1.4.2). The empty tree is of every one. */
export function isBeginningOf(
  earlier: { readonly size: number; readonly root: Hash },
  later: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (earlier.size > later.size) return false;
  if (earlier.size === 0) return proof.length === 0 && equal(earlier.root, emptyRoot);
  if (earlier.size === later.size) return proof.length === 0 && equal(earlier.root, later.root);
  // A tree that is a perfect subtree of the later one is its own first hash, and so is left out of the proof.
  const path = Number.isInteger(Math.log2(earlier.size)) ? [earlier.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (!first) return false;
  let [at, last] = [earlier.size - 1, later.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [old, now] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      old = nodeHash(sibling, old);
      now = nodeHash(sibling, now);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else now = nodeHash(now, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(old, earlier.root) && equal(now, later.root);
}

const half = (n: number): number => Math.floor(n / 2);

const equal = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;
