import { z } from 'zod';
import { uuid } from '../schemas.js';
import { DEVICE_ID, MAX_DEVICE_ID } from './logged-in.js';
import { SECRETS } from './examples.js';

/** A secret as it comes in: plain, RSA ciphertext of a key of at most 4,096 bits, or JWE. */
const MAX_SECRET = 4_096;
const ENCRYPTED =
  'Plain where the tenant allows it, or encrypted with the public key of the tenant (Base64 RSA-OAEP, JWE)';

export const password = z
  .string()
  .min(1)
  .max(MAX_SECRET)
  .meta({ description: ENCRYPTED, format: 'password', example: SECRETS.password });
export const pin = z
  .string()
  .min(1)
  .max(MAX_SECRET)
  .meta({ description: ENCRYPTED, format: 'password', example: SECRETS.pin });
export const otp = z
  .string()
  .regex(/^\d{4,12}$/, 'has digits only')
  .max(12)
  .meta({ example: '493021' });
export const otpReference = uuid.meta({
  description: 'As it was answered when the code was sent',
  example: SECRETS.otpReference,
});
export const payloadEncrypted = z
  .boolean()
  .meta({ description: 'Whether the secrets are encrypted; default: their shape decides' });
export const deviceId = z
  .string()
  .max(MAX_DEVICE_ID)
  .regex(DEVICE_ID, 'has printable characters without spaces')
  .meta({ description: 'As the app names the device; default: header `uuid`', example: SECRETS.deviceId });
export const refreshToken = z.string().min(1).max(512).meta({ example: SECRETS.refreshToken });

/** Nothing to show. */
export const nothing = z.object({}).meta({ description: 'Empty' });
