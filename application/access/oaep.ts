import { type KeyObject, constants, createHash, privateDecrypt } from 'node:crypto';

/** RSA-OAEP (RFC 8017, 7.1.2) with SHA-256 and the empty label; the mask by SHA-256 or, as Java does unasked, SHA-1. */
const LABEL_HASH = createHash('sha256').digest();
const HASH_BYTES = LABEL_HASH.length;
const MASK_HASHES = ['sha256', 'sha1'] as const;
type MaskHash = (typeof MASK_HASHES)[number];

/**
 * One private operation, then both variants are decoded whatever the first one gave, each without a branch on what it
 * finds: time tells no more than the answer does. Undefined for every failure.
 */
export function decryptOaep(privateKey: KeyObject, ciphertext: Buffer): Buffer | undefined {
  let encoded: Buffer;
  try {
    encoded = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, ciphertext);
  } catch {
    // Not of the key's length, or above its modulus: public facts about the ciphertext.
    return undefined;
  }
  if (encoded.length < 2 * HASH_BYTES + 2) return undefined;
  const [modern, java] = MASK_HASHES.map((hash) => decode(encoded, hash));
  return modern ?? java;
}

/** Every byte is looked at; `bad` and `start` are collected by arithmetic. */
function decode(encoded: Buffer, hash: MaskHash): Buffer | undefined {
  const maskedBlock = encoded.subarray(1 + HASH_BYTES);
  const seed = xor(encoded.subarray(1, 1 + HASH_BYTES), mask(maskedBlock, HASH_BYTES, hash));
  const block = xor(maskedBlock, mask(seed, maskedBlock.length, hash));
  let bad = encoded[0] ?? 1;
  for (let at = 0; at < HASH_BYTES; at += 1) bad |= (block[at] ?? 0) ^ (LABEL_HASH[at] ?? 0);
  let searching = 1;
  let start = 0;
  for (let at = HASH_BYTES; at < block.length; at += 1) {
    const byte = block[at] ?? 0;
    const isZero = isNought(byte);
    const isOne = isNought(byte ^ 1);
    bad |= searching & (1 ^ (isZero | isOne));
    start |= -(searching & isOne) & (at + 1);
    searching &= 1 ^ isOne;
  }
  bad |= searching;
  const message = Buffer.from(block.subarray(start));
  return bad === 0 ? message : undefined;
}

/** 1 for 0, 0 for any other byte. */
function isNought(byte: number): number {
  return ((byte - 1) >>> 31) & 1;
}

function xor(a: Buffer, b: Buffer): Buffer {
  const out = Buffer.alloc(a.length);
  for (let at = 0; at < a.length; at += 1) out[at] = (a[at] ?? 0) ^ (b[at] ?? 0);
  return out;
}

/** MGF1 (RFC 8017, B.2.1). */
function mask(seed: Buffer, length: number, hash: MaskHash): Buffer {
  const parts: Buffer[] = [];
  const counter = Buffer.alloc(4);
  for (let made = 0, index = 0; made < length; index += 1) {
    counter.writeUInt32BE(index);
    const part = createHash(hash).update(seed).update(counter).digest();
    parts.push(part);
    made += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}
