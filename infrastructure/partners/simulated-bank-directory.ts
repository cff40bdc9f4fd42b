import type { Bank, BankDirectory, HolderAnswer } from '../../application/ports/bank-directory.js';
import { behaviourOf, isMagicNumber } from './magic-numbers.js';
import { NIGERIAN_BANKS } from './nigerian-banks.js';

const BANKS: readonly Bank[] = NIGERIAN_BANKS.map(([bankCode, bankName]) => ({
  bankCode,
  bankName,
  country: 'NGA',
  currency: 'NGN',
}));

const STRANGER = 'Ibrahim Musa Lawal';

/** Stands in for a name enquiry: an account is held by whom it is said to be held by, but for the magic numbers. */
export class SimulatedBankDirectory implements BankDirectory {
  banks(): Promise<readonly Bank[]> {
    return Promise.resolve(BANKS);
  }

  holderOf(bankCode: string, accountNumber: string, claimedName?: string): Promise<HolderAnswer> {
    const isKnown = BANKS.some((bank) => bank.bankCode === bankCode);
    const behaviour = behaviourOf(accountNumber);
    if (!isKnown || behaviour === 'account-not-found') return Promise.resolve({ status: 'no-such-account' });
    const accountName =
      behaviour === 'other-holder' ? STRANGER : (claimedName ?? `Simulated Holder ${accountNumber.slice(-4)}`);
    return Promise.resolve({ status: 'found', accountName });
  }

  isTestNumber(accountNumber: string): boolean {
    return isMagicNumber(accountNumber);
  }
}
