/** Whoever holds a private key: a file on a signing worker, a KMS, an HSM. */
export interface Signer {
  /** SHA-256 of the public key's PEM text, hex. */
  readonly keyId: string;
  /** Signs bytes: ECDSA, DER, over the hash that belongs to the curve. Two signatures of equal bytes differ. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  /** SubjectPublicKeyInfo of the key, PEM. */
  readonly publicKey: string;
  /**
   * Certificates (DER) by which verifiers know the key, the signer's own first, roots left out. Absent for a key that
   * they know by itself.
   */
  readonly certificates?: readonly Uint8Array[];
}
