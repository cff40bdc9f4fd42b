import { tagOf } from '../aggregates.js';
import { rememberedAccountId } from '../ledger/account.js';
import { EARLIEST_VALUE_DATE } from '../ledger/entry.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { bookDifference, freshLoan, reckon } from './book.js';
import { bookedToJson } from './booked.js';
import type { DisburseLoan } from './commands.js';
import { checkBorrower, checkDay, knownLoan, wrongStatus } from './guards.js';
import type { LoanState } from './loan.js';
import { operationToJson } from './operations-json.js';
import { BUCKETS, type Bucket } from './terms.js';
import { termsFromJson } from './terms-json.js';

export const decideDisburseLoan: Decide<DisburseLoan> = ({ loan, date }, context) =>
  disburse(loan, date ?? context.today, context);

/**
 * Pays a loan out to the borrower's loan wallet. The wallet, where he has none yet, and the accounts of the loan's
 * receivables are opened in the same commit. From here on the terms of the offer hold.
 */
export function disburse(id: string, date: string, context: DecisionContext): Refusal | undefined {
  const state = knownLoan(id, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'ACCEPTED' || state.terms === undefined) return wrongStatus(state);
  if (!state.conditionsAccepted) return refuse('invalid-state', 'the conditions are not accepted yet');
  const refusal = checkBorrower(state.customer, context) ?? checkDay(date, EARLIEST_VALUE_DATE, context.today, 'date');
  if (refusal !== undefined) return refusal;
  const wallet = openWallet(state, context);
  if (isRefusal(wallet)) return wallet;
  const accounts = openReceivables(state, context);
  if (isRefusal(accounts)) return accounts;

  const loan = freshLoan({ code: state.code, terms: termsFromJson(state.terms), wallet, accounts });
  const operation = { id: context.newId(), date, kind: 'DISBURSED', amount: loan.terms.principal } as const;
  const reckoning = reckon(loan, [operation], context.today);
  context.emit({
    type: 'loan-disbursed',
    version: 1,
    data: {
      loan: id,
      terms: state.terms,
      operation: operationToJson(operation),
      wallet,
      accounts,
      upTo: reckoning.upTo,
      booked: bookedToJson(reckoning.booked),
    },
    tags: [tagOf('loan', id)],
    effectiveAt: date,
  });
  return bookDifference(loan, reckoning, { valueDate: date, narration: 'Loan disbursement' }, context);
}

/** The id of the borrower's wallet for loans in this currency; opened where he has none. */
function openWallet({ customer, currency }: LoanState, context: DecisionContext): string | Refusal {
  const number = loanWalletNumber(context.state('customer', customer).code, currency);
  const account = rememberedAccountId(context.tenantId, number);
  const { status, owner, product } = context.state('account', account);
  if (status !== 'NONE') {
    return owner === customer && product === 'LOAN_WALLET' ? account : numberTaken(number);
  }
  context.emit({
    type: 'account-opened',
    version: 2,
    data: {
      ...{ account, number, name: 'Loan wallet', owner: customer, currency },
      ...{ kind: 'LIABILITY', product: 'LOAN_WALLET', permission: 'FULL_ACCESS' },
      ...{ overdraftLimit: '0', minimumBalance: '0' },
    },
    tags: [tagOf('account', account), tagOf('tenant', context.tenantId), tagOf('customer', customer)],
  });
  return account;
}

function openReceivables({ code, currency }: LoanState, context: DecisionContext): Record<Bucket, string> | Refusal {
  const accounts = { principal: '', interest: '', fees: '', penalty: '' };
  for (const bucket of BUCKETS) {
    const number = receivableNumber(code, bucket);
    const account = rememberedAccountId(context.tenantId, number);
    if (context.state('account', account).status !== 'NONE') return numberTaken(number);
    accounts[bucket] = account;
    context.emit({
      type: 'account-opened',
      version: 2,
      data: {
        ...{ account, number, name: `Loan ${code} ${bucket}`, owner: context.tenantId, currency },
        ...{ kind: 'ASSET', product: 'LOAN_RECEIVABLE', permission: 'FULL_ACCESS', overdraftLimit: '0' },
        systemRole: `loan-${bucket}`,
      },
      tags: [tagOf('account', account), tagOf('tenant', context.tenantId)],
    });
  }
  return accounts;
}

export function loanWalletNumber(customerCode: string, currency: string): string {
  return `LW-${customerCode}-${currency}`;
}

export function receivableNumber(loanCode: string, bucket: Bucket): string {
  return `${loanCode}-${bucket.toUpperCase()}`;
}

const numberTaken = (number: string): Refusal => refuse('account-exists', `account number ${number} is taken`);
