import type { MasterSeal } from '../../application/ports/key-vault.js';
import type { TenantKey } from '../../application/ports/tenant-keys.js';

type KeyName = Pick<TenantKey, 'tenantId' | 'kid'>;

/** A sealed private half opens for its own tenant and key id only. */
const purposeOf = ({ tenantId, kid }: KeyName): string => `tenant-key ${tenantId} ${kid}`;

export function sealPrivateKey(master: MasterSeal, key: KeyName, pkcs8: Buffer): Buffer {
  return master.seal(purposeOf(key), pkcs8);
}

/** Throws `SealBroken`. */
export function openPrivateKey(master: MasterSeal, key: KeyName, sealed: Buffer): Buffer {
  return master.open(purposeOf(key), sealed);
}
