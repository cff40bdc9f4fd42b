import type {
  ArrearsView,
  CashFlowView,
  InstalmentDueView,
  LendingReadModels,
  LoanFilter,
  LoanSort,
  LoanTotalsView,
  LoanView,
  Page,
  Paged,
  RepaymentFilter,
  VintageView,
} from '../../application/ports/read-models.js';
import { ARREARS_BUCKETS } from '../../application/ports/lending-read-models.js';
import type { Booked } from '../../domain/loan/booked.js';
import { receivables } from '../../domain/loan/booked.js';
import { BUCKETS, type ByBucket } from '../../domain/loan/terms.js';
import type { ProductStatus } from '../../domain/loan-product/events.js';
import { type FoldedLoans, NO_AMOUNTS, type OpenInstalment } from './folded-loans.js';

const DAY_MS = 86_400_000;
const UPPER_DAYS = [0, 30, 60, 90, Infinity];

const paged = <T>(items: readonly T[], { page, size }: Page): Paged<T> => ({
  items: items.slice((page - 1) * size, page * size),
  totalElements: items.length,
});
const total = (by: ByBucket): bigint => BUCKETS.reduce((sum, bucket) => sum + by[bucket], 0n);
const sum = <T>(items: readonly T[], of: (item: T) => bigint): bigint => items.reduce((all, one) => all + of(one), 0n);
const added = (all: readonly ByBucket[]): ByBucket =>
  all.reduce((a, b) => {
    const { principal, interest, fees, penalty } = b;
    return {
      ...{ principal: a.principal + principal, interest: a.interest + interest },
      ...{ fees: a.fees + fees, penalty: a.penalty + penalty },
    };
  }, NO_AMOUNTS);
const booked = (loan: LoanView): Booked => loan.booked as Booked;
const owed = (loan: LoanView): ByBucket => receivables(booked(loan));
const isRunning = (loan: LoanView): boolean => loan.status === 'DISBURSED' && !loan.writtenOff;
const least = (days: readonly string[]): string | null => [...days].sort()[0] ?? null;

function grouped<T>(items: readonly T[], key: (item: T) => string): Array<[string, T[]]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What can be asked about lending, of a plain fold of the tenant's events. */
export abstract class FoldedLending implements LendingReadModels {
  protected abstract lending(tenantId: string): Promise<FoldedLoans>;

  async loan(tenantId: string, idOrCode: string) {
    return (await this.lending(tenantId)).loan(idOrCode);
  }

  async loans(tenantId: string, filter: LoanFilter, sort: LoanSort | undefined, page: Page) {
    return paged((await this.lending(tenantId)).loans(filter, sort), page);
  }

  async loansOfCustomer(tenantId: string, customerId: string) {
    return (await this.lending(tenantId)).loansOfCustomer(customerId);
  }

  async loanProduct(tenantId: string, productId: string) {
    return (await this.lending(tenantId)).product(productId);
  }

  async loanProductVersion(tenantId: string, productId: string, version: number) {
    return (await this.lending(tenantId)).productVersion(productId, version);
  }

  async loanProducts(
    tenantId: string,
    filter: { readonly status?: ProductStatus; readonly currency?: string },
    page: Page,
  ) {
    const { status, currency } = filter;
    const products = (await this.lending(tenantId)).products();
    const wanted = products.filter(
      (one) =>
        (status === undefined || one.status === status) &&
        (currency === undefined || one.settings.currency === currency),
    );
    return paged(wanted, page);
  }

  async loanConditions(tenantId: string) {
    return (await this.lending(tenantId)).conditions();
  }

  async repayment(tenantId: string, repaymentId: string) {
    return (await this.lending(tenantId)).repayment(repaymentId);
  }

  async repayments(tenantId: string, filter: RepaymentFilter, page: Page) {
    return paged((await this.lending(tenantId)).repayments(filter), page);
  }

  async withdrawal(tenantId: string, reference: string) {
    return (await this.lending(tenantId)).withdrawal(reference);
  }

  async withdrawals(tenantId: string, customerId: string, page: Page) {
    return paged((await this.lending(tenantId)).withdrawals(customerId), page);
  }

  async loanTotals(tenantId: string, customerId: string, on: string): Promise<LoanTotalsView[]> {
    const lending = await this.lending(tenantId);
    const mine = lending.disbursed().filter((loan) => loan.customerId === customerId);
    const open = lending.openInstalments();
    return grouped(mine, ({ currency }) => currency).map(([currency, loans]) => {
      const theirs = open.filter(({ loan }) => loan.customerId === customerId && loan.currency === currency);
      const late = theirs.filter(({ dueDate }) => dueDate < on);
      return {
        currency,
        loans: loans.length,
        activeLoans: loans.filter(isRunning).length,
        paidOffLoans: loans.filter(({ status }) => status === 'PAID_OFF').length,
        writtenOffLoans: loans.filter(({ writtenOff }) => writtenOff).length,
        borrowed: sum(loans, (loan) => booked(loan).disbursed),
        repaid: sum(loans, (loan) => total(booked(loan).paid)),
        outstanding: sum(theirs, ({ outstanding }) => total(outstanding)),
        overdue: sum(late, ({ outstanding }) => total(outstanding)),
        oldestOverdueDate: least(late.map(({ dueDate }) => dueDate)),
        nextDueDate: least(theirs.filter(({ dueDate }) => dueDate >= on).map(({ dueDate }) => dueDate)),
      };
    });
  }

  async instalmentsDue(tenantId: string, customerId: string, page: Page): Promise<Paged<InstalmentDueView>> {
    const open = (await this.lending(tenantId)).openInstalments();
    const mine = open.filter(({ loan }) => loan.customerId === customerId);
    // Of one day, the loan that was requested first comes first: they are in that order.
    mine.sort((a, b) => (a.dueDate === b.dueDate ? 0 : a.dueDate < b.dueDate ? -1 : 1));
    return paged(
      mine.map(({ loan: _, ...view }) => view),
      page,
    );
  }

  async arrears(tenantId: string, on: string): Promise<ArrearsView[]> {
    const lending = await this.lending(tenantId);
    const open = lending.openInstalments();
    const running = lending
      .disbursed()
      .filter(isRunning)
      .map((loan) => ({ loan, ...overdueOf(loan, open, on) }));
    return grouped(running, ({ loan }) => loan.currency).flatMap(([currency, loans]) =>
      ARREARS_BUCKETS.flatMap((bucket, i) => {
        const lower = UPPER_DAYS[i - 1] ?? -1;
        const within = loans.filter(({ days }) => days > lower && days <= (UPPER_DAYS[i] as number));
        if (within.length === 0) return [];
        const outstanding = added(within.map(({ loan }) => owed(loan)));
        return [{ currency, bucket, loans: within.length, outstanding, overdue: sum(within, ({ amount }) => amount) }];
      }),
    );
  }

  async vintages(tenantId: string, on: string): Promise<VintageView[]> {
    const lending = await this.lending(tenantId);
    const open = lending.openInstalments();
    const monthOf = (loan: LoanView): string => (loan.operations[0]?.date ?? '').slice(0, 7);
    const key = (loan: LoanView): string => `${monthOf(loan)} ${loan.currency}`;
    return grouped(lending.disbursed(), key).map(([name, loans]) => {
      const [month = '', currency = ''] = name.split(' ');
      const atRisk = (days: number): bigint =>
        sum(
          loans.filter((loan) => isRunning(loan) && overdueOf(loan, open, on).days > days),
          (loan) => owed(loan).principal,
        );
      return {
        ...{ currency, month, loans: loans.length, disbursed: sum(loans, (loan) => booked(loan).disbursed) },
        paidOffLoans: loans.filter(({ status }) => status === 'PAID_OFF').length,
        writtenOffLoans: loans.filter(({ writtenOff }) => writtenOff).length,
        principalPaid: sum(loans, (loan) => booked(loan).paid.principal),
        principalWrittenOff: sum(loans, (loan) => booked(loan).writtenOff.principal),
        recovered: sum(loans, (loan) => booked(loan).recovered),
        principalOutstanding: sum(loans, (loan) => owed(loan).principal),
        ...{ atRisk30: atRisk(30), atRisk90: atRisk(90) },
      };
    });
  }

  async expectedCashFlow(tenantId: string, from: string, to: string): Promise<CashFlowView[]> {
    const open = (await this.lending(tenantId)).openInstalments();
    const within = open.filter(({ dueDate }) => dueDate >= from && dueDate <= to);
    return grouped(within, ({ dueDate, currency }) => `${dueDate.slice(0, 7)} ${currency}`).map(([name, all]) => {
      const [month = '', currency = ''] = name.split(' ');
      return { currency, month, instalments: all.length, expected: added(all.map(({ outstanding }) => outstanding)) };
    });
  }
}

function overdueOf(loan: LoanView, open: readonly OpenInstalment[], on: string): { days: number; amount: bigint } {
  const late = open.filter(({ loanId, dueDate }) => loanId === loan.loanId && dueDate < on);
  const oldest = least(late.map(({ dueDate }) => dueDate));
  const days = oldest === null ? 0 : (Date.parse(on) - Date.parse(oldest)) / DAY_MS;
  return { days, amount: sum(late, ({ outstanding }) => total(outstanding)) };
}
