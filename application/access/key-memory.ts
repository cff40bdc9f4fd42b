import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';
import { hasPassed } from '../elapsed.js';
import type { Clock } from '../ports/clock.js';
import type { TenantKey, TenantKeyStore } from '../ports/tenant-keys.js';

interface Entry {
  readonly keys: readonly TenantKey[];
  readonly loadedMs: number;
  /** While the store is asked behind the callers' back. */
  refreshing: boolean;
}

const MAX_TENANTS = 10_000;
const MAX_PRIVATE = 1_000;
/** A remembered answer is asked again behind the caller's back after this long … */
const REFRESH_AFTER_MS = 1_000;
/** … and not used any more after this long: a rotation in another process is known here within it. */
const TRUST_MS = 3_000;
/** A key id that nobody knows makes us ask at most this often for a tenant. */
const ASK_AGAIN_MS = 500;

/** Keys of tenants as they were a moment ago, and their parsed halves: a token that is checked waits for no store. */
export class KeyMemory {
  readonly #store: TenantKeyStore;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #public = new Map<string, KeyObject>();
  readonly #private = new Map<string, KeyObject>();
  /** Raised by `forget`: what was asked for before is not remembered. */
  #generation = 0;

  constructor(store: TenantKeyStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async keysOf(tenantId: string): Promise<readonly TenantKey[]> {
    const entry = this.#entries.get(tenantId);
    const now = this.#clock.nowMs();
    if (entry === undefined || hasPassed(TRUST_MS, entry.loadedMs, now)) return await this.#load(tenantId);
    if (hasPassed(REFRESH_AFTER_MS, entry.loadedMs, now) && !entry.refreshing) {
      entry.refreshing = true;
      // A failure leaves the old answer to run out.
      this.#load(tenantId).catch(() => {
        entry.refreshing = false;
      });
    }
    return entry.keys;
  }

  /** After a change in this process: it holds at once. */
  forget(tenantId: string): void {
    this.#generation += 1;
    this.#entries.delete(tenantId);
  }

  /** Forgets the tenant's keys unless they were asked for a moment ago; false when they were. */
  mayAskAgain(tenantId: string): boolean {
    const entry = this.#entries.get(tenantId);
    if (entry !== undefined && !hasPassed(ASK_AGAIN_MS, entry.loadedMs, this.#clock.nowMs())) return false;
    this.#entries.delete(tenantId);
    return true;
  }

  publicKey(key: TenantKey): KeyObject {
    const name = nameOf(key);
    const known = this.#public.get(name);
    if (known !== undefined) return known;
    const parsed = createPublicKey({ key: Buffer.from(key.publicSpki, 'base64'), type: 'spki', format: 'der' });
    if (this.#public.size >= MAX_TENANTS) this.#public.clear();
    this.#public.set(name, parsed);
    return parsed;
  }

  async privateKey(key: TenantKey): Promise<KeyObject | undefined> {
    const name = nameOf(key);
    const known = this.#private.get(name);
    if (known !== undefined) return known;
    const pkcs8 = await this.#store.privateKey(key.tenantId, key.kid);
    if (pkcs8 === undefined) return undefined;
    const parsed = createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' });
    if (this.#private.size >= MAX_PRIVATE) this.#private.clear();
    this.#private.set(name, parsed);
    return parsed;
  }

  async #load(tenantId: string): Promise<readonly TenantKey[]> {
    const generation = this.#generation;
    const loadedMs = this.#clock.nowMs();
    const keys = await this.#store.list(tenantId);
    if (generation === this.#generation) {
      if (this.#entries.size >= MAX_TENANTS) this.#entries.clear();
      this.#entries.set(tenantId, { keys, loadedMs, refreshing: false });
    }
    return keys;
  }
}

const nameOf = ({ tenantId, kid }: TenantKey): string => `${tenantId}/${kid}`;
