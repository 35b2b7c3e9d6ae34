/** A kind of file that is no ONNX model, told by its content. */
export interface ForeignKind {
  /** For people, with an article: `a Python pickle`. */
  readonly name: string;
  /** Whether to open it can be to run it. */
  readonly executable: boolean;
}

const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Signatures that are long enough not to come about by chance. */
const signatures: readonly (ForeignKind & { readonly bytes: Uint8Array; readonly at?: number })[] = [
  { name: 'an ELF program', executable: true, bytes: latin('\x7fELF') },
  { name: 'a Mach-O program', executable: true, bytes: latin('\xcf\xfa\xed\xfe') },
  { name: 'a Mach-O program', executable: true, bytes: latin('\xce\xfa\xed\xfe') },
  { name: 'a Mach-O program', executable: true, bytes: latin('\xfe\xed\xfa\xcf') },
  { name: 'a Mach-O program', executable: true, bytes: latin('\xfe\xed\xfa\xce') },
  { name: 'a Java class or Mach-O program', executable: true, bytes: latin('\xca\xfe\xba\xbe') },
  { name: 'a WebAssembly module', executable: true, bytes: latin('\0asm') },
  { name: 'a Lua program', executable: true, bytes: latin('\x1bLua') },
  { name: 'a script', executable: true, bytes: latin('#!/') },
  { name: 'a script', executable: true, bytes: latin('#! /') },
  { name: 'a script', executable: true, bytes: latin('<?php') },
  { name: 'a zip archive (PyTorch, Keras, NumPy, Java)', executable: true, bytes: latin('PK\x03\x04') },
  { name: 'a zip archive', executable: true, bytes: latin('PK\x05\x06') },
  { name: 'an HDF5 file (Keras)', executable: true, bytes: latin('\x89HDF\r\n\x1a\n') },
  { name: 'an xz archive', executable: true, bytes: latin('\xfd7zXZ\0') },
  { name: 'a 7z archive', executable: true, bytes: latin("7z\xbc\xaf'\x1c") },
  { name: 'a gzip archive', executable: true, bytes: latin('\x1f\x8b\x08') },
  { name: 'a bzip2 archive', executable: true, bytes: latin('BZh91AY&SY') },
  { name: 'a RAR archive', executable: true, bytes: latin('Rar!\x1a\x07') },
  { name: 'a tar archive', executable: true, bytes: latin('ustar'), at: 257 },
  { name: 'a zlib stream (joblib)', executable: true, bytes: latin('ZF0x') },
  { name: 'a NumPy array', executable: true, bytes: latin('\x93NUMPY') },
  { name: 'a GGUF model', executable: false, bytes: latin('GGUF') },
  { name: 'a TensorFlow Lite model', executable: false, bytes: latin('TFL3'), at: 4 },
];

/**
 * @param bytes - a file or the beginning of one
 * @returns what it is instead of ONNX; `undefined` when no signature says so
 */
export function foreignKind(bytes: Uint8Array): ForeignKind | undefined {
  const found = signatures.find(({ bytes: signature, at = 0 }) =>
    signature.every((byte, i) => bytes[at + i] === byte),
  );
  if (found) return found;
  if (isWindowsProgram(bytes)) return { name: 'a Windows program', executable: true };
  if (isPickle(bytes)) return { name: 'a Python pickle', executable: true };
  if (isSafetensors(bytes)) return { name: 'a safetensors file', executable: false };
  return undefined;
}

/** `MZ` and, where its header says that it is, `PE`: two letters alone come about by chance. */
function isWindowsProgram(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x4d || bytes[1] !== 0x5a || bytes.length < 64) return false;
  const header = bytes[60]! | (bytes[61]! << 8) | (bytes[62]! << 16) | (bytes[63]! << 24);
  if (header < 4 || header > 4096) return false;
  return bytes.length < header + 2 || (bytes[header] === 0x50 && bytes[header + 1] === 0x45);
}

/** Opcodes that may follow the protocol number of a pickle. */
const afterProtocol: ReadonlySet<number> = new Set(latin('\x95c}](KXqjVMJUGNIClt)\x8a\x88\x89\x8c\x80'));

/** Protocols 2 to 5 name themselves; the older ones are known by the import that makes them dangerous. */
function isPickle(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5) return afterProtocol.has(bytes[2]!);
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1');
  return /^[(\]}lpd0-9\n]{0,16}c[A-Za-z_][\w.]{0,80}\n[A-Za-z_][\w.]{0,80}\n(?:p\d+\n)?\([\s\S]{0,400}?t(?:p\d+\n)?R/.test(
    head,
  );
}

/** Eight bytes of length, then a JSON object. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 9 && bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
}
