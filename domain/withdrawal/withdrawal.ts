import type { Aggregate, Json } from '../shared/event.js';
import type { SealedPerson } from '../shared/person.js';
import type { WithdrawalEvent, WithdrawalFailure, WithdrawalStatus } from './events.js';

/** One transfer to a bank: the fold of events tagged `withdrawal:<id>`. Amounts are minor units. */
export interface WithdrawalState {
  readonly status: 'NONE' | WithdrawalStatus;
  readonly reference: string;
  readonly customer: string;
  readonly wallet: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly fee: bigint;
  /** The entry that took amount and fee from the wallet. */
  readonly entry: string;
  /** Where the money goes, sealed. Undefined before there is a withdrawal. */
  readonly destination: SealedPerson | undefined;
  readonly partner: string | undefined;
  readonly partnerReference: string | undefined;
  readonly failure: WithdrawalFailure | undefined;
}

const NONE: WithdrawalState = {
  status: 'NONE',
  reference: '',
  customer: '',
  wallet: '',
  currency: '',
  amount: 0n,
  fee: 0n,
  entry: '',
  destination: undefined,
  partner: undefined,
  partnerReference: undefined,
  failure: undefined,
};

export const withdrawalAggregate: Aggregate<WithdrawalState, WithdrawalEvent> = {
  kind: 'withdrawal',
  stateVersion: 1,
  initial: () => NONE,
  evolve(state, event) {
    switch (event.type) {
      case 'withdrawal-requested': {
        const { reference, customer, wallet, currency, amount, fee, entry, person } = event.data;
        return {
          ...NONE,
          ...{ status: 'PENDING', reference, customer, wallet, currency, entry, destination: person },
          amount: BigInt(amount),
          fee: BigInt(fee),
        };
      }
      case 'withdrawal-submitted': {
        const { partner, partnerReference } = event.data;
        return { ...state, status: 'PROCESSING', partner, partnerReference };
      }
      case 'withdrawal-completed':
        return { ...state, status: 'COMPLETED' };
      case 'withdrawal-failed':
        return { ...state, status: 'FAILED', failure: event.data.reason };
    }
  },
  toJson: (state) => ({
    ...state,
    amount: state.amount.toString(),
    fee: state.fee.toString(),
    destination: state.destination ?? null,
    partner: state.partner ?? null,
    partnerReference: state.partnerReference ?? null,
    failure: state.failure ?? null,
  }),
  fromJson(json: Json) {
    const stored = json as unknown as StoredWithdrawal;
    return {
      ...stored,
      amount: BigInt(stored.amount),
      fee: BigInt(stored.fee),
      destination: stored.destination ?? undefined,
      partner: stored.partner ?? undefined,
      partnerReference: stored.partnerReference ?? undefined,
      failure: stored.failure ?? undefined,
    };
  },
};

type Optional = 'destination' | 'partner' | 'partnerReference' | 'failure';
type StoredWithdrawal = Omit<WithdrawalState, 'amount' | 'fee' | Optional> &
  Record<'amount' | 'fee', string> & { readonly [M in Optional]: Exclude<WithdrawalState[M], undefined> | null };

/** The reference for people and partners. Six digits are the documented form; beyond them it grows longer. */
export function withdrawalReferenceOf(day: string, sequence: number): string {
  return `TXN-${day.replaceAll('-', '')}-${String(sequence).padStart(6, '0')}`;
}
