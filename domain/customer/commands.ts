import type { SealedPerson } from '../shared/person.js';
import type { CustomerType } from './events.js';

/** Uniqueness of the e-mail address is the credential store's: the log must not know addresses. */
export interface RegisterCustomer {
  /** Made by the caller: the person's key is made for it before there is an event. */
  readonly customer: string;
  readonly customerType: CustomerType;
  readonly country: string;
  readonly agent?: string;
  readonly person: SealedPerson;
}
export interface ChangeCustomerProfile {
  readonly customer: string;
  /** Members of `PersonalData` that are different now. */
  readonly changed: readonly string[];
  readonly country: string;
  readonly person: SealedPerson;
}
export interface SetCustomerPicture {
  readonly customer: string;
  readonly file: string;
  readonly contentType: string;
}
/** To the status it has already: nothing happens (the documented call is idempotent). */
export interface SetCustomerStatus {
  readonly customer: string;
  readonly to: 'ACTIVE' | 'INACTIVE';
  readonly reason?: string;
}
/** Staff's decision on a customer's identity; APPROVE also activates one that was pending. */
export interface VerifyCustomer {
  readonly customer: string;
  readonly decision: 'APPROVE' | 'REJECT';
  readonly note?: string;
}
export interface AddBankDetails {
  readonly customer: string;
  readonly bankDetail: string;
  readonly currency: string;
  readonly country: string;
  readonly person: SealedPerson;
}
export interface RemoveBankDetails {
  readonly customer: string;
  readonly bankDetail: string;
}
export interface EraseCustomer {
  readonly customer: string;
  readonly legalBasis: string;
  readonly reason?: string;
}
