import fc from 'fast-check';
import {
  appended,
  consistencyProof,
  emptyFrontier,
  emptyRoot,
  type Frontier,
  type Hash,
  includes,
  inclusionProof,
  isBeginningOf,
  leafHash,
  rootOf,
  rootOfFrontier,
} from '../../../../src/core/trust/audit/merkle.js';

const hex = (hash: Hash) => Buffer.from(hash).toString('hex');

/** Entries and roots of the reference implementation's own test (google/certificate-transparency, merkletree). */
const entries = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = entries.map((entry) => leafHash(Buffer.from(entry, 'hex')));

describe('a Merkle tree', () => {
  it('has the roots of RFC 6962’s reference implementation', () => {
    expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(roots.map((_, index) => hex(rootOf(leaves.slice(0, index + 1))))).toEqual(roots);
  });

  it('has the proofs of RFC 6962’s reference implementation', () => {
    expect(inclusionProof(leaves, 0).map(hex)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(consistencyProof(leaves, 6).map(hex)).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  const tree = fc
    .integer({ min: 1, max: 70 })
    .map((size) => Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`entry ${index}`))));

  it('grows by its frontier as by its leaves', () => {
    let frontier: Frontier = emptyFrontier;
    for (let size = 1; size <= 130; size++) {
      frontier = appended(frontier, leafHash(Buffer.from(`entry ${size - 1}`)));
      const all = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));
      expect(hex(rootOfFrontier(frontier))).toBe(hex(rootOf(all)));
      expect(frontier.peaks).toHaveLength(size.toString(2).replaceAll('0', '').length);
    }
  });

  it('proves each of its leaves, at its place and no other, and no leaf that it has not', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (all, a, b) => {
        const [index, other] = [a % all.length, b % all.length];
        const whole = { size: all.length, root: rootOf(all) };
        const proof = inclusionProof(all, index);
        expect(includes(whole, all[index]!, index, proof)).toBe(true);
        if (other !== index) {
          expect(includes(whole, all[index]!, other, proof)).toBe(false);
          expect(includes(whole, all[other]!, index, proof)).toBe(false);
        }
        expect(includes(whole, leafHash(Buffer.from('absent')), index, proof)).toBe(false);
        expect(includes({ ...whole, root: emptyRoot }, all[index]!, index, proof)).toBe(false);
        expect(includes(whole, all[index]!, index, [...proof, emptyRoot])).toBe(false);
        if (proof.length > 0) expect(includes(whole, all[index]!, index, proof.slice(1))).toBe(false);
      }),
    );
  });

  it('proves each of its beginnings, and nothing else to be one', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (all, a, b) => {
        const size = 1 + (a % all.length);
        const earlier = { size, root: rootOf(all.slice(0, size)) };
        const later = { size: all.length, root: rootOf(all) };
        const proof = consistencyProof(all, size);
        expect(isBeginningOf(earlier, later, proof)).toBe(true);
        const altered = all.map((leaf, index) =>
          index === b % size ? leafHash(Buffer.from('altered')) : leaf,
        );
        expect(isBeginningOf({ size, root: rootOf(altered.slice(0, size)) }, later, proof)).toBe(false);
        expect(
          isBeginningOf(earlier, { ...later, root: rootOf(altered) }, consistencyProof(altered, size)),
        ).toBe(false);
        expect(isBeginningOf(earlier, later, [...proof, emptyRoot])).toBe(false);
        if (proof.length > 0) expect(isBeginningOf(earlier, later, proof.slice(0, -1))).toBe(false);
        if (size < all.length) expect(isBeginningOf(later, earlier, proof)).toBe(false);
      }),
    );
  });

  it('never takes made-up hashes for a proof', () => {
    const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 8 });
    fc.assert(
      fc.property(tree, hashes, fc.nat(), (all, proof, a) => {
        const index = a % all.length;
        const whole = { size: all.length, root: rootOf(all) };
        if (all.length > 1) {
          expect(includes(whole, leafHash(Buffer.from('absent')), index, proof)).toBe(false);
          expect(isBeginningOf({ size: 1 + index, root: emptyRoot }, whole, proof)).toBe(false);
        }
      }),
    );
  });
});
