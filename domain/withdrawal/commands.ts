import type { SealedPerson } from '../shared/person.js';
import type { WithdrawalFailure } from './events.js';

export interface RequestWithdrawal {
  /** Made by the caller. */
  readonly withdrawal: string;
  readonly customer: string;
  /** Account it is taken from: the customer's own loan wallet. */
  readonly wallet: string;
  readonly bankDetail: string;
  readonly currency: string;
  /** Minor units; the fee comes on top of it. */
  readonly amount: bigint;
  readonly fee: bigint;
  /** Sealed: where the money goes. */
  readonly person: SealedPerson;
}
/** Said of a withdrawal that the partner has already: nothing happens. The same holds for the two below. */
export interface SubmitWithdrawal {
  readonly withdrawal: string;
  readonly partner: string;
  readonly partnerReference: string;
}
export interface CompleteWithdrawal {
  readonly withdrawal: string;
}
export interface FailWithdrawal {
  readonly withdrawal: string;
  readonly reason: WithdrawalFailure;
}
