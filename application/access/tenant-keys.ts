import { type KeyObject, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { keyIntroducedV1 } from '../../domain/tenant/events.js';
import type { KeyUse } from '../../domain/tenant/events.js';
import type { IntroduceKey } from '../../domain/tenant/commands.js';
import type { CommandBus, Outcome } from '../commands.js';
import { keyOf, requestHash } from '../idempotency.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type {
  KeyAlgorithm,
  KeyPair,
  KeyPairMaker,
  NewTenantKey,
  TenantKey,
  TenantKeyStore,
} from '../ports/tenant-keys.js';
import type { Asked } from './api-tokens.js';
import { KeyMemory } from './key-memory.js';

export interface TenantKeysPorts {
  readonly store: TenantKeyStore;
  readonly maker: KeyPairMaker;
  readonly bus: CommandBus;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Which pairs we make, and for what; the first algorithm of a use is the documented one. */
export const MADE_KEYS = {
  JWT: ['RS256'],
  PAYLOAD: ['RSA-OAEP-256', 'ECDH-ES+A256KW'],
} as const satisfies Partial<Record<KeyUse, readonly KeyAlgorithm[]>>;
export type MadeUse = keyof typeof MADE_KEYS;

export type KeyOutcome =
  | {
      readonly status: 'accepted';
      readonly outcome: Extract<Outcome, { status: 'accepted' }>;
      readonly key: TenantKey;
    }
  | Extract<Outcome, { status: 'refused' }>;

/** Keys cannot be made for a tenant that is suspended, or is none. */
export class KeyRefused extends Error {
  override readonly name = 'KeyRefused';
  constructor(readonly outcome: Extract<Outcome, { status: 'refused' }>) {
    super(outcome.refusal.message);
  }
}

/** Names of lost keys that are passed over before the log and the store are said not to belong together. */
const MAX_LOST = 5;

/**
 * Key pairs of tenants in use, from a small memory. A new key is added to the store, stated in the log, then activated:
 * the log decides which of two counts, and a crash in between leaves an unused row, or a key that a retry activates.
 */
export class TenantKeys {
  readonly #memory: KeyMemory;
  readonly #making = new Map<string, Promise<TenantKey>>();

  constructor(readonly ports: TenantKeysPorts) {
    this.#memory = new KeyMemory(ports.store, ports.clock);
  }

  /** The active key; made on first use. Throws `KeyRefused`. */
  async active(tenantId: string, use: MadeUse, algorithm: KeyAlgorithm = MADE_KEYS[use][0]): Promise<TenantKey> {
    const found = await this.#activeNow(tenantId, use, algorithm);
    if (found !== undefined) return found;
    const name = `${tenantId} ${use} ${algorithm}`;
    const making = this.#making.get(name) ?? this.#makeFirst(tenantId, use, algorithm);
    this.#making.set(name, making);
    try {
      return await making;
    } finally {
      this.#making.delete(name);
    }
  }

  /** Keys that are accepted now: active ones first, then retiring ones that are not past their time. */
  async accepted(tenantId: string, use: KeyUse): Promise<readonly TenantKey[]> {
    const keys = (await this.all(tenantId)).filter((key) => key.use === use);
    return [...keys.filter(({ status }) => status === 'ACTIVE'), ...keys.filter(({ status }) => status === 'RETIRING')];
  }

  /** An accepted key by its id. One that memory does not know is looked up again: another process may have made it. */
  async acceptedKey(tenantId: string, use: KeyUse, kid: string): Promise<TenantKey | undefined> {
    const find = async () => (await this.accepted(tenantId, use)).find((key) => key.kid === kid);
    return (await find()) ?? (this.#memory.mayAskAgain(tenantId) ? await find() : undefined);
  }

  /** Every key that was ever introduced, newest first, with what it is now. */
  async all(tenantId: string): Promise<readonly TenantKey[]> {
    const nowIso = this.#nowIso();
    return (await this.#memory.keysOf(tenantId)).map((key) =>
      key.status === 'RETIRING' && (key.retiresAt ?? '') <= nowIso ? { ...key, status: 'RETIRED' } : key,
    );
  }

  /** Accepted keys that we made, every algorithm among them: what a JWKS lists. */
  async published(tenantId: string): Promise<readonly TenantKey[]> {
    for (const use of Object.keys(MADE_KEYS) as MadeUse[]) {
      for (const algorithm of MADE_KEYS[use]) await this.active(tenantId, use, algorithm);
    }
    return [...(await this.accepted(tenantId, 'JWT')), ...(await this.accepted(tenantId, 'PAYLOAD'))];
  }

  publicKey(key: TenantKey): KeyObject {
    return this.#memory.publicKey(key);
  }

  /** Undefined when it was destroyed: the key is past its time. */
  privateKey(key: TenantKey): Promise<KeyObject | undefined> {
    return this.#memory.privateKey(key);
  }

  /** A new key in place of the active one, which is accepted for `overlapHours` more. Recorded in the log. */
  async rotate(
    use: MadeUse,
    overlapHours: number,
    asked: Asked,
    algorithm: KeyAlgorithm = MADE_KEYS[use][0],
  ): Promise<KeyOutcome> {
    const key = await this.#addPair(asked.tenantId, use, algorithm);
    const previousUntil = new Date(this.ports.clock.nowMs() + overlapHours * 3_600_000).toISOString();
    return await this.#introduce(key, previousUntil, asked);
  }

  /**
   * The tenant's own public key, for references in webhooks; it takes the place of the one before at once. The same key
   * again changes nothing; one that was replaced does not come back.
   */
  async setWebhookKey(publicKey: KeyObject, asked: Asked): Promise<KeyOutcome | TenantKey | 'replaced'> {
    const key = await this.#newKey(asked.tenantId, 'WEBHOOK', 'RSA-OAEP-256', publicKey);
    if (!(await this.ports.store.add(key, undefined))) {
      const active = await this.#activeNow(asked.tenantId, 'WEBHOOK', 'RSA-OAEP-256');
      return active?.kid === key.kid ? active : 'replaced';
    }
    return await this.#introduce(key, this.#nowIso(), asked);
  }

  /**
   * The first key of an algorithm. Its idempotency key in the log is the same in every process, so of several first keys
   * made at once the log keeps one. A key that the log names and the store has lost (it was restored from an older
   * backup) is passed over.
   */
  async #makeFirst(tenantId: string, use: MadeUse, algorithm: KeyAlgorithm): Promise<TenantKey> {
    const key = await this.#addPair(tenantId, use, algorithm);
    const actor = { subject: 'system:keys', roles: [] };
    const hash = requestHash(actor.subject, `${use} ${algorithm}`);
    for (let lost = 0; lost < MAX_LOST; lost += 1) {
      const id = keyOf(tenantId, 'first-key', `${use} ${algorithm} ${String(lost)}`);
      const asked = {
        tenantId,
        actor,
        correlationId: this.ports.ids.eventId(),
        idempotency: { id, requestHash: hash },
      };
      const done = await this.#introduce(key, this.#nowIso(), asked).catch((error: unknown) => {
        if (error instanceof KeyLost) return undefined;
        throw error;
      });
      if (done?.status === 'refused') throw new KeyRefused(done);
      // Of a first key made long ago, and replaced since, this one is the successor.
      if (done !== undefined) return (await this.#activeNow(tenantId, use, algorithm)) ?? done.key;
    }
    throw new Error(`the key store lacks keys of tenant ${tenantId} that the log names`);
  }

  async #activeNow(tenantId: string, use: KeyUse, algorithm: KeyAlgorithm): Promise<TenantKey | undefined> {
    const keys = await this.#memory.keysOf(tenantId);
    return keys.find((key) => key.use === use && key.algorithm === algorithm && key.status === 'ACTIVE');
  }

  async #addPair(tenantId: string, use: MadeUse, algorithm: KeyAlgorithm): Promise<NewTenantKey> {
    const pair = await this.#makePair(algorithm);
    const publicKey = createPublicKey({ key: pair.publicSpki, type: 'spki', format: 'der' });
    const key = await this.#newKey(tenantId, use, algorithm, publicKey);
    if (!(await this.ports.store.add(key, pair.privatePkcs8))) throw new Error('a new key pair is not new');
    return key;
  }

  #makePair(algorithm: KeyAlgorithm): Promise<KeyPair> {
    switch (algorithm) {
      case 'RS256':
        return this.ports.maker.rsa(2048);
      case 'RSA-OAEP-256':
        return this.ports.maker.rsa(3072);
      case 'ECDH-ES+A256KW':
        return this.ports.maker.ec();
    }
  }

  async #newKey(tenantId: string, use: KeyUse, algorithm: KeyAlgorithm, publicKey: KeyObject): Promise<NewTenantKey> {
    const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
    const publicSpki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    return { tenantId, kid, use, algorithm, createdAt: this.#nowIso(), publicSpki };
  }

  async #introduce(key: NewTenantKey, previousUntil: string, asked: Asked): Promise<KeyOutcome> {
    const { store, bus } = this.ports;
    const { tenantId, kid, use, algorithm } = key;
    const stored = await store.list(tenantId, use);
    const before = stored.find((one) => one.algorithm === algorithm && one.status === 'ACTIVE');
    const payload: IntroduceKey = {
      ...{ kid, use, algorithm },
      ...(before === undefined ? {} : { previous: before.kid, previousUntil }),
    };
    const outcome = await bus.execute({ ...asked, name: 'introduce-key', payload });
    if (outcome.status === 'refused') {
      await store.discard(tenantId, kid);
      return outcome;
    }
    const stated = outcome.events.find(({ type }) => type === 'key-introduced');
    // An idempotency key that was used before answers with the key of that time.
    const fact = keyIntroducedV1.parse(stated?.data);
    const activated = await store.activate(tenantId, fact.kid, fact.previousUntil ?? previousUntil, this.#nowIso());
    this.#memory.forget(tenantId);
    if (activated === undefined) throw new KeyLost(`the log names key ${fact.kid}, which the store does not have`);
    if (fact.kid !== kid) await store.discard(tenantId, kid);
    return { status: 'accepted', outcome, key: activated };
  }

  #nowIso(): string {
    return new Date(this.ports.clock.nowMs()).toISOString();
  }
}

class KeyLost extends Error {
  override readonly name = 'KeyLost';
}
