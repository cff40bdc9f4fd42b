import type { DecisionContext } from '../shared/decider.js';
import { type Refusal, isRefusal } from '../shared/refusal.js';
import { normalBalance, rememberedAccountId } from '../ledger/account.js';
import { type LineDraft, postEntry } from '../ledger/entry.js';
import { systemAccountNumber } from '../ledger/products.js';
import { type Booked, EARNING, NOTHING_BOOKED, bookedFromJson, collectedBy, receivables, totalsOf } from './booked.js';
import { computeLoan } from './compute.js';
import type { LoanState } from './loan.js';
import { operationFromJson } from './operations-json.js';
import type { LoanOperation } from './operations.js';
import type { LoanPosition } from './position.js';
import { BUCKETS, type Bucket, type LoanTerms } from './terms.js';
import { termsFromJson } from './terms-json.js';

/** A loan whose money is out, with its state read for computing. */
export interface RunningLoan {
  readonly code: string;
  readonly terms: LoanTerms;
  readonly operations: readonly LoanOperation[];
  readonly wallet: string;
  readonly accounts: Readonly<Record<Bucket, string>>;
  readonly booked: Booked;
}

/** Undefined for a loan that was not disbursed. */
export function runningLoan({ code, terms, operations, wallet, accounts, booked }: LoanState): RunningLoan | undefined {
  if (terms === undefined || wallet === undefined || accounts === undefined || booked === undefined) return undefined;
  return {
    code,
    terms: termsFromJson(terms),
    operations: operations.map(operationFromJson),
    wallet,
    accounts,
    booked: bookedFromJson(booked),
  };
}

/** A loan before anything happened to it. */
export function freshLoan(loan: Pick<RunningLoan, 'code' | 'terms' | 'wallet' | 'accounts'>): RunningLoan {
  return { ...loan, operations: [], booked: NOTHING_BOOKED };
}

/** What a loan comes to with these operations on a day: the new totals, and where it stands. */
export interface Reckoning {
  readonly operations: readonly LoanOperation[];
  readonly upTo: string;
  readonly booked: Booked;
  readonly position: LoanPosition;
}

export function reckon(loan: RunningLoan, operations: readonly LoanOperation[], upTo: string): Reckoning {
  const position = computeLoan(loan.terms, operations, upTo);
  return { operations, upTo, booked: totalsOf(loan.terms, operations, position), position };
}

/**
 * Posts the difference between what is booked of a loan and what it comes to now, as one entry; none where nothing moves.
 * Afterwards the loan's receivable accounts hold what is owed, bucket by bucket, or this throws.
 */
export function bookDifference(
  loan: RunningLoan,
  reckoning: Reckoning,
  entry: { readonly valueDate: string; readonly narration: string },
  context: DecisionContext,
): Refusal | undefined {
  const lines = differenceLines(loan, reckoning, context);
  if (lines.length > 0) {
    const draft = { kind: 'journal', lines, ...entry, reference: loan.code, ofLoan: true } as const;
    const posted = postEntry(draft, context);
    if (isRefusal(posted)) {
      // Lines are made in pairs: an entry that does not balance is a defect, no fault of the caller's.
      if (posted.refused === 'unbalanced') throw new Error(`loan ${loan.code}: ${posted.message}`);
      return posted;
    }
  }
  const owed = receivables(reckoning.booked);
  for (const bucket of BUCKETS) {
    const account = context.state('account', loan.accounts[bucket]);
    if (normalBalance(account) !== owed[bucket]) {
      throw new Error(`loan ${loan.code}: ${bucket} is ${owed[bucket]}, its account holds ${normalBalance(account)}`);
    }
  }
  return undefined;
}

function differenceLines(loan: RunningLoan, reckoning: Reckoning, context: DecisionContext): LineDraft[] {
  const [before, after] = [loan.booked, reckoning.booked];
  const { currency } = loan.terms;
  const lines: LineDraft[] = [];
  /** A negative amount is the same line on the other side. */
  const line = (side: 'debit' | 'credit', account: string, amount: bigint, narration: string): void => {
    if (amount === 0n) return;
    const other = side === 'debit' ? 'credit' : 'debit';
    lines.push({
      ...{ account, currency, narration },
      ...(amount > 0n ? { side, amount } : { side: other, amount: -amount }),
    });
  };
  const system = (role: string): string => rememberedAccountId(context.tenantId, systemAccountNumber(role, currency));

  const [owedBefore, owedAfter] = [receivables(before), receivables(after)];
  for (const bucket of BUCKETS) {
    line('debit', loan.accounts[bucket], owedAfter[bucket] - owedBefore[bucket], `Loan ${bucket}`);
  }
  for (const earning of EARNING) {
    const earned = after.earned[earning] - before.earned[earning];
    const waived = after.waived[earning] - before.waived[earning];
    line('credit', system(INCOME[earning]), earned, `Loan ${earning}`);
    line('debit', system(INCOME[earning]), waived, `Loan ${earning} waived`);
  }
  line('credit', loan.wallet, after.disbursed - before.disbursed, 'Loan disbursed');
  const fees = after.upfrontFees - before.upfrontFees;
  line('debit', loan.wallet, fees, 'Loan fees');
  line('credit', system('fee-income'), fees, 'Loan fees');
  line('credit', loan.wallet, after.overpaid - before.overpaid, 'Loan overpaid');

  const [had, has] = [collectedBy(loan.operations), collectedBy(reckoning.operations)];
  line('debit', system('cash'), has.cash - had.cash, 'Loan repayment');
  line('debit', loan.wallet, has.wallet - had.wallet, 'Loan repayment');
  line('debit', system('loan-losses'), has.own - had.own, 'Loan credited');
  const lost = BUCKETS.reduce((sum, bucket) => sum + after.writtenOff[bucket] - before.writtenOff[bucket], 0n);
  line('debit', system('loan-losses'), lost, 'Loan written off');
  line('credit', system('loan-losses'), after.recovered - before.recovered, 'Loan recovered');
  return lines;
}

const INCOME = { interest: 'interest-income', fees: 'fee-income', penalty: 'penalty-income' } as const;
