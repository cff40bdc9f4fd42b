import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { keyOf } from '../idempotency.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { MasterSeal } from '../ports/key-vault.js';
import type { ReplayGuard } from '../ports/replay-guard.js';
import type { TenantKey } from '../ports/tenant-keys.js';
import { type TenantKeys, MADE_KEYS } from './tenant-keys.js';

export interface SealedSecretPorts {
  readonly keys: TenantKeys;
  readonly master: MasterSeal;
  readonly replays: ReplayGuard;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** How old a sealed secret may be, and how far its maker's clock may be ahead. */
const FRESH_SECONDS = 300;
const AHEAD_SECONDS = 60;
const MAX_LENGTH = 8_192;
const JWE_FORM = /^eyJ[\w-]*(?:\.[\w-]*){4}$/;

/** The protected header: key, algorithm, when it was made, an id of its own, and the field that it is for. */
const header = z.object({
  alg: z.enum(MADE_KEYS.PAYLOAD),
  enc: z.literal('A256GCM'),
  kid: z.string().max(64),
  iat: z.number(),
  jti: z.string().min(8).max(128),
  fld: z.string().max(64),
  zip: z.never().optional(),
});

export function looksLikeJwe(value: string): boolean {
  return value.length <= MAX_LENGTH && JWE_FORM.test(value);
}

/**
 * A JWE (compact) that is fresh, for this field, and was not used before but by the same `use`. Undefined for every
 * failure. The id is spent last: only who can encrypt for the key, and knows the id, can spend one.
 */
export async function openSealedSecret(
  ports: SealedSecretPorts,
  where: { readonly tenantId: string; readonly field: string; readonly use: string | undefined },
  value: string,
): Promise<{ readonly plain: Uint8Array; readonly key: TenantKey } | undefined> {
  const { keys, clock } = ports;
  const { tenantId, field } = where;
  const said = header.safeParse(headerOf(value));
  if (!said.success) return undefined;
  const { alg, kid, iat, jti, fld } = said.data;
  const age = clock.nowMs() / 1000 - iat;
  if (fld !== field || age > FRESH_SECONDS || age < -AHEAD_SECONDS) return undefined;
  const key = await keys.acceptedKey(tenantId, 'PAYLOAD', kid);
  const privateKey = key?.algorithm === alg ? await keys.privateKey(key) : undefined;
  if (key === undefined || privateKey === undefined) return undefined;
  const opened = await compactDecrypt(value, privateKey, {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: ['A256GCM'],
  }).catch(() => undefined);
  if (opened === undefined) return undefined;
  return (await isFirstUse(ports, where, jti, iat)) ? { plain: opened.plaintext, key } : undefined;
}

async function isFirstUse(
  { replays, master, ids }: SealedSecretPorts,
  { tenantId, use }: { readonly tenantId: string; readonly use: string | undefined },
  jti: string,
  iat: number,
): Promise<boolean> {
  const expiresAt = new Date((iat + FRESH_SECONDS + AHEAD_SECONDS) * 1000).toISOString();
  const digest = (text: string) => master.digest('used-once', text);
  return await replays.mayUse(tenantId, digest(keyOf(tenantId, 'jti', jti)), digest(use ?? ids.eventId()), expiresAt);
}

function headerOf(value: string): unknown {
  try {
    return decodeProtectedHeader(value);
  } catch {
    return undefined;
  }
}
