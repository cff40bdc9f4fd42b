import type { Aggregate, Json } from '../shared/event.js';
import type { HoldType, LedgerEvent } from './events.js';

/** One hold or lien: the fold of all events tagged `hold:<id>`. captured + released ≤ placed, always. */
export interface HoldState {
  readonly status: 'NONE' | 'ACTIVE' | 'CAPTURED' | 'RELEASED' | 'EXPIRED';
  readonly account: string;
  readonly currency: string;
  readonly type: HoldType;
  readonly reason: string;
  readonly group: string | undefined;
  readonly expiresAt: string | undefined;
  readonly placed: bigint;
  readonly captured: bigint;
  readonly released: bigint;
}

const NONE: HoldState = {
  status: 'NONE',
  account: '',
  currency: '',
  type: 'HOLD',
  reason: '',
  group: undefined,
  expiresAt: undefined,
  placed: 0n,
  captured: 0n,
  released: 0n,
};

/** What is still on hold. */
export function remainingOf(hold: HoldState): bigint {
  return hold.placed - hold.captured - hold.released;
}

export const holdAggregate: Aggregate<HoldState, LedgerEvent> = {
  kind: 'hold',
  stateVersion: 1,
  initial: () => NONE,
  evolve(state, event) {
    switch (event.type) {
      case 'hold-placed': {
        const { data } = event;
        return {
          ...NONE,
          status: 'ACTIVE',
          account: data.account,
          currency: data.currency,
          type: data.type,
          reason: data.reason,
          group: data.group,
          expiresAt: data.expiresAt,
          placed: BigInt(data.amount),
        };
      }
      case 'hold-released': {
        const released = state.released + BigInt(event.data.amount);
        const status =
          event.data.remaining === '0' ? (event.data.cause === 'expired' ? 'EXPIRED' : 'RELEASED') : 'ACTIVE';
        return { ...state, released, status: settled(status, state) };
      }
      case 'entry-posted': {
        const { capture } = event.data;
        if (capture === undefined) return state;
        return {
          ...state,
          captured: state.captured + BigInt(capture.amount),
          status: capture.remaining === '0' ? 'CAPTURED' : 'ACTIVE',
        };
      }
      default:
        return state;
    }
  },
  toJson: (state) => ({
    ...state,
    group: state.group ?? null,
    expiresAt: state.expiresAt ?? null,
    placed: state.placed.toString(),
    captured: state.captured.toString(),
    released: state.released.toString(),
  }),
  fromJson(json: Json) {
    const stored = json as unknown as StoredHold;
    return {
      ...stored,
      group: stored.group ?? undefined,
      expiresAt: stored.expiresAt ?? undefined,
      placed: BigInt(stored.placed),
      captured: BigInt(stored.captured),
      released: BigInt(stored.released),
    };
  },
};

type Amounts = 'placed' | 'captured' | 'released';
type StoredHold = Omit<HoldState, Amounts | 'group' | 'expiresAt'> &
  Record<Amounts, string> & { group: string | null; expiresAt: string | null };

/** A hold of which some was captured before the rest was let go counts as captured. */
function settled(status: 'RELEASED' | 'EXPIRED' | 'ACTIVE', state: HoldState): HoldState['status'] {
  return status !== 'ACTIVE' && state.captured > 0n ? 'CAPTURED' : status;
}
