import type { MasterSeal } from '../../application/ports/key-vault.js';
import type { NewTenantKey, TenantKey, TenantKeyStore } from '../../application/ports/tenant-keys.js';
import type { KeyUse } from '../../domain/tenant/events.js';
import { openPrivateKey, sealPrivateKey } from '../security/private-keys.js';

interface Kept {
  key: Omit<TenantKey, 'status'> & { readonly status: TenantKey['status'] | 'PENDING' };
  sealed: Buffer | undefined;
}

/** Keys of tenants in memory, private halves sealed as with PostgreSQL. */
export class MemoryTenantKeyStore implements TenantKeyStore {
  #keys: Kept[] = [];
  readonly #master: MasterSeal;

  constructor(master: MasterSeal) {
    this.#master = master;
  }

  list(tenantId: string, use?: KeyUse): Promise<readonly TenantKey[]> {
    const found = this.#keys
      .map(({ key }) => key)
      .filter((key): key is TenantKey => key.status !== 'PENDING' && key.tenantId === tenantId)
      .filter((key) => use === undefined || key.use === use)
      .sort((a, b) => (a.createdAt === b.createdAt ? (a.kid < b.kid ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1));
    return Promise.resolve(found);
  }

  privateKey(tenantId: string, kid: string): Promise<Buffer | undefined> {
    const sealed = this.#find(tenantId, kid)?.sealed;
    return Promise.resolve(sealed === undefined ? undefined : openPrivateKey(this.#master, { tenantId, kid }, sealed));
  }

  add(key: NewTenantKey, privatePkcs8: Buffer | undefined): Promise<boolean> {
    const known = this.#find(key.tenantId, key.kid);
    if (known !== undefined) {
      const { status, use, algorithm } = known.key;
      return Promise.resolve(status === 'PENDING' && use === key.use && algorithm === key.algorithm);
    }
    const sealed = privatePkcs8 === undefined ? undefined : sealPrivateKey(this.#master, key, privatePkcs8);
    this.#keys.push({ key: { ...key, status: 'PENDING', retiresAt: null }, sealed });
    return Promise.resolve(true);
  }

  discard(tenantId: string, kid: string): Promise<void> {
    this.#keys = this.#keys.filter(
      ({ key }) => key.tenantId !== tenantId || key.kid !== kid || key.status !== 'PENDING',
    );
    return Promise.resolve();
  }

  activate(tenantId: string, kid: string, previousUntil: string, nowIso: string): Promise<TenantKey | undefined> {
    const fresh = this.#find(tenantId, kid);
    if (fresh?.key.status === 'PENDING') {
      const { use, algorithm } = fresh.key;
      for (const kept of this.#keys) {
        const { key } = kept;
        if (key.tenantId !== tenantId || key.use !== use || key.algorithm !== algorithm || key.status !== 'ACTIVE')
          continue;
        kept.key = { ...key, status: 'RETIRING', retiresAt: previousUntil };
      }
      fresh.key = { ...fresh.key, status: 'ACTIVE' };
    }
    for (const kept of this.#keys) {
      const { key } = kept;
      if (key.tenantId !== tenantId || key.status !== 'RETIRING' || (key.retiresAt ?? '') > nowIso) continue;
      kept.key = { ...key, status: 'RETIRED' };
      kept.sealed = undefined;
    }
    return Promise.resolve(fresh?.key as TenantKey | undefined);
  }

  #find(tenantId: string, kid: string): Kept | undefined {
    return this.#keys.find(({ key }) => key.tenantId === tenantId && key.kid === kid);
  }
}
