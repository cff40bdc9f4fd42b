import type { LoanApplicant } from '../../domain/loan/applicant.js';
import { discloseLoan } from '../../domain/loan/disclosure.js';
import type { Frequency } from '../../domain/loan/terms.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import type { PersonalData } from '../../domain/shared/person.js';
import type { Asked } from '../access/api-tokens.js';
import { answeredBefore, nowOf } from '../access/as-user.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import type { CustomerView } from '../ports/read-models.js';
import type { LoanProductView } from '../ports/lending-read-models.js';
import { type Faulty, faulty } from '../people/faults.js';
import { noSuchPerson, sealFor } from '../people/seal-person.js';
import { type ApplicantClaim, checkedApplicant } from './applicant.js';
import { type BorrowingHistory, factsOf } from './facts.js';

export interface LoanWanted {
  readonly customer: CustomerView;
  readonly product: LoanProductView;
  readonly amount: bigint;
  readonly instalments: number;
  readonly repaymentMethod: string;
  readonly claim: ApplicantClaim;
}

/**
 * Asks for a loan. What the borrower told is checked and sealed under his key; the facts that the product's rules look at
 * are made here, and the decider applies the rules to them in the same commit that records the application.
 */
export async function requestLoan(
  identity: Identity,
  asked: Asked,
  wanted: LoanWanted,
): Promise<{ readonly status: 'done'; readonly outcome: Outcome } | Faulty> {
  const { bus, vault, ids } = identity;
  const { tenantId } = asked;
  const { customer, product, amount, instalments, repaymentMethod, claim } = wanted;
  const { person } = customer;
  if (person === null) return { status: 'done', outcome: noSuchPerson('customer') };
  const today = nowOf(identity).slice(0, 10);
  const { applicant, faults } = checkedApplicant(claim, { ...customer, person }, product, today);
  // A retry is answered like the first call, though the profile or the product may have changed since.
  if (faults.length > 0 && !(await isRetry(identity, asked, customer))) return faulty(...faults);
  const sealed = await sealFor(vault, tenantId, customer.customerId, applicant);
  if (sealed === undefined) return { status: 'done', outcome: noSuchPerson('customer') };
  const facts = await gatheredFacts(identity, tenantId, { ...wanted, person }, applicant, today);
  const outcome = await bus.execute({
    ...asked,
    name: 'request-loan',
    payload: {
      loan: ids.eventId(),
      customer: customer.customerId,
      product: product.productId,
      ...{ amount, instalments, repaymentMethod, facts },
      person: sealed,
    },
  });
  return { status: 'done', outcome };
}

async function isRetry(identity: Identity, asked: Asked, { customerId }: CustomerView): Promise<boolean> {
  return (await answeredBefore(identity, asked, { kind: 'customer', id: customerId })) !== undefined;
}

async function gatheredFacts(
  { readModels }: Pick<Identity, 'readModels'>,
  tenantId: string,
  { customer, product: { settings }, amount, instalments }: LoanWanted & { readonly person: PersonalData },
  applicant: LoanApplicant,
  today: string,
) {
  const [totals, accounts] = await Promise.all([
    readModels.loanTotals(tenantId, customer.customerId, today),
    readModels.accountsOfOwner(tenantId, customer.customerId),
  ]);
  const sum = (count: (one: (typeof totals)[number]) => number): number =>
    totals.reduce((all, one) => all + count(one), 0);
  const oldest = totals.flatMap(({ oldestOverdueDate: day }) => (day === null ? [] : [day])).sort()[0];
  const loans: BorrowingHistory = {
    active: sum(({ activeLoans }) => activeLoans),
    paidOff: sum(({ paidOffLoans }) => paidOffLoans),
    writtenOff: sum(({ writtenOffLoans }) => writtenOffLoans),
    outstanding: totals.find(({ currency }) => currency === settings.currency)?.outstanding ?? 0n,
    daysOverdue: oldest === undefined ? 0 : daysFrom(oldest, today),
  };
  const walletBalance = accounts
    .filter(
      ({ currency, product, status }) => currency === settings.currency && WALLETS.has(product) && status !== 'CLOSED',
    )
    .reduce((all, { ledger }) => all + ledger, 0n);
  const monthlyInstalment = monthlyInstalmentOf(settings, amount, instalments);
  return factsOf({
    today,
    customer,
    applicant,
    settings,
    amount,
    instalments,
    loans,
    walletBalance,
    monthlyInstalment,
  });
}

const WALLETS: ReadonlySet<string> = new Set(['WALLET', 'CURRENT', 'SAVINGS']);
const DAY_MS = 86_400_000;

function daysFrom(day: string, today: string): number {
  return Math.max(0, Math.round((Date.parse(`${today}T00:00:00Z`) - Date.parse(`${day}T00:00:00Z`)) / DAY_MS));
}

/** Periods of one unit in twelve months. */
const UNITS_A_YEAR: Readonly<Record<Frequency['unit'], bigint>> = { DAYS: 365n, WEEKS: 52n, MONTHS: 12n, YEARS: 1n };

/** What an equal instalment costs a month, whatever the schedule: what is held against the income. */
function monthlyInstalmentOf(settings: LoanProductSettings, amount: bigint, instalments: number): bigint | null {
  const { annualRatePercent, frequency } = settings;
  const disclosed = discloseLoan({ amount, annualRatePercent, instalments, frequency, fees: [] });
  if (typeof disclosed === 'string') return null;
  return (disclosed.instalment * UNITS_A_YEAR[frequency.unit]) / (12n * BigInt(frequency.every));
}
