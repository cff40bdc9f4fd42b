import { type KeyObject, createPublicKey } from 'node:crypto';

const MIN_UPLOADED_BITS = 2048;
const MAX_UPLOADED_BITS = 8192;
const MIN_EXPONENT = 65_537n;

/** A public RSA key as Base64 of its SubjectPublicKeyInfo; undefined when it is none, or too weak to be used. */
export function uploadedPublicKey(spkiBase64: string): KeyObject | undefined {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spkiBase64, 'base64'), type: 'spki', format: 'der' });
  } catch {
    return undefined;
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  const isGood =
    key.asymmetricKeyType === 'rsa' &&
    modulusLength >= MIN_UPLOADED_BITS &&
    modulusLength <= MAX_UPLOADED_BITS &&
    publicExponent >= MIN_EXPONENT;
  return isGood ? key : undefined;
}
