import type { KeyUse } from '../../domain/tenant/events.js';
import type { CommandBus } from '../commands.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { KeyPairMaker, TenantKey, TenantKeyStore } from '../ports/tenant-keys.js';
import type { Asked } from './api-tokens.js';

export interface TenantKeysPorts {
  readonly store: TenantKeyStore;
  readonly maker: KeyPairMaker;
  readonly bus: CommandBus;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Key pairs of tenants in use, from a small memory. */
export class TenantKeys {
  constructor(readonly ports: TenantKeysPorts) {}

  /** The active key; made on first use. */
  active(_tenantId: string, _use: KeyUse): Promise<TenantKey> {
    throw new Error('not built yet');
  }

  /** Keys that are accepted now: the active one first, then retiring ones that are not past their time. */
  accepted(_tenantId: string, _use: KeyUse): Promise<readonly TenantKey[]> {
    throw new Error('not built yet');
  }

  /** Every key that was ever introduced, newest first, with what it is now. */
  all(_tenantId: string): Promise<readonly TenantKey[]> {
    throw new Error('not built yet');
  }

  /** A new key in place of the active one, which is accepted for `overlapHours` more. Recorded in the log. */
  rotate(_use: 'PAYLOAD' | 'JWT', _overlapHours: number, _asked: Asked): Promise<TenantKey> {
    throw new Error('not built yet');
  }
}
