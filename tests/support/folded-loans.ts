import type { StoredEvent } from '../../application/ports/event-log.js';
import type {
  InstalmentDueView,
  LoanConditionsView,
  LoanFilter,
  LoanProductView,
  LoanSort,
  LoanView,
  RecordedOperation,
  RepaymentFilter,
  RepaymentView,
  WithdrawalView,
} from '../../application/ports/read-models.js';
import type { LoanApplicant } from '../../domain/loan/applicant.js';
import { bookedFromJson } from '../../domain/loan/booked.js';
import { computeLoan } from '../../domain/loan/compute.js';
import type { BookedJson, LoanEvent, LoanStatus, OperationJson } from '../../domain/loan/events.js';
import { operationFromJson, standing } from '../../domain/loan/operations-json.js';
import type { InstalmentPosition, LoanPosition } from '../../domain/loan/position.js';
import { feeFromJson, termsFromJson } from '../../domain/loan/terms-json.js';
import { BUCKETS, type ByBucket } from '../../domain/loan/terms.js';
import type { LoanConditionsSet, LoanProductEvent } from '../../domain/loan-product/events.js';
import type { Json } from '../../domain/shared/event.js';
import type { WithdrawalEvent } from '../../domain/withdrawal/events.js';

type Event = StoredEvent & (LoanEvent | LoanProductEvent | LoanConditionsSet | WithdrawalEvent);
export const NO_AMOUNTS: ByBucket = { principal: 0n, interest: 0n, fees: 0n, penalty: 0n };
const instantOf = (text: string): string => new Date(text).toISOString();
const newestFirst = <T>(items: Iterable<T>): T[] => [...items].reverse();
const actorOf = ({ meta }: StoredEvent): string => meta['actor'] ?? '';

interface FoldedProduct extends Pick<LoanProductView, 'status' | 'createdAt' | 'updatedAt'> {
  readonly versions: ReadonlyArray<Omit<LoanProductView, 'status' | 'createdAt'>>;
}

/** An instalment that is not paid, with the loan it is of. */
export interface OpenInstalment extends InstalmentDueView {
  readonly loan: LoanView;
}

/** Lending of one tenant as a plain fold of its events: every position is computed when it is asked for. */
export class FoldedLoans {
  readonly #loans = new Map<string, LoanView>();
  readonly #repayments = new Map<string, RepaymentView & { readonly agentId: string | null }>();
  readonly #products = new Map<string, FoldedProduct>();
  readonly #withdrawals = new Map<string, WithdrawalView>();
  #conditions: LoanConditionsView | undefined;

  /** `opened` is what the event's `person` says; undefined where nothing is sealed or the person was erased. */
  apply(stored: StoredEvent, opened: Json | undefined): void {
    const event = stored as Event;
    if (event.type.startsWith('loan-product-')) this.#applyProduct(event as StoredEvent & LoanProductEvent);
    else if (event.type.startsWith('withdrawal-')) this.#applyWithdrawal(event as StoredEvent & WithdrawalEvent);
    else if (event.type === 'loan-conditions-set') {
      this.#conditions = { ...event.data, updatedAt: event.recordedAt };
    } else if (event.type.startsWith('loan-')) this.#applyLoan(event as StoredEvent & LoanEvent, opened);
    else if (event.type.startsWith('repayment-')) this.#applyRepayment(event as StoredEvent & LoanEvent);
    else if (stored.type === 'customer-erased') {
      const { customer } = stored.data as { customer: string };
      for (const [id, loan] of this.#loans) {
        if (loan.customerId === customer) this.#loans.set(id, { ...loan, applicant: null });
      }
    }
  }

  #applyProduct(event: StoredEvent & LoanProductEvent): void {
    const { recordedAt, data } = event;
    const before = this.#products.get(data.product);
    if (event.type === 'loan-product-status-set') {
      if (before === undefined) throw new Error(`no product ${data.product}`);
      this.#products.set(data.product, { ...before, status: event.data.to, updatedAt: recordedAt });
      return;
    }
    const { productVersion: version, settings } = event.data;
    const { status = 'INACTIVE', createdAt = recordedAt, versions = [] } = before ?? {};
    this.#products.set(data.product, {
      ...{ status, createdAt, updatedAt: recordedAt },
      versions: [...versions, { productId: data.product, version, settings, updatedAt: recordedAt }],
    });
  }

  #applyWithdrawal(event: StoredEvent & WithdrawalEvent): void {
    const { recordedAt: updatedAt, data } = event;
    if (event.type === 'withdrawal-requested') {
      const { withdrawal, reference, customer, wallet, bankDetail, currency, amount, fee, entry } = event.data;
      this.#withdrawals.set(withdrawal, {
        ...{ withdrawalId: withdrawal, reference, customerId: customer, wallet, bankDetailId: bankDetail, currency },
        ...{ amount: BigInt(amount), fee: BigInt(fee), entryId: entry, status: 'PENDING', failureReason: null },
        ...{ partner: null, partnerReference: null, returnedTo: null, completedAt: null },
        ...{ requestedAt: updatedAt, updatedAt },
      });
      return;
    }
    const before = this.#withdrawals.get(data.withdrawal);
    if (before === undefined) throw new Error(`no withdrawal ${data.withdrawal}`);
    const set = (change: Partial<WithdrawalView>): void =>
      void this.#withdrawals.set(data.withdrawal, { ...before, ...change, updatedAt });
    if (event.type === 'withdrawal-submitted') {
      const { partner, partnerReference } = event.data;
      set({ status: 'PROCESSING', partner, partnerReference });
    } else if (event.type === 'withdrawal-completed') set({ status: 'COMPLETED', completedAt: updatedAt });
    else set({ status: 'FAILED', failureReason: event.data.reason, returnedTo: event.data.creditedTo ?? null });
  }

  #applyLoan(event: StoredEvent & LoanEvent, opened: Json | undefined): void {
    const { recordedAt } = event;
    if (event.type === 'loan-requested') {
      const { loan: loanId, code, customer: customerId, product: productId, productVersion, currency } = event.data;
      this.#loans.set(loanId, {
        ...{ loanId, code, customerId, agentId: event.data.agent ?? null, productId, productVersion, productName: '' },
        ...{ currency, requestedAmount: BigInt(event.data.amount), requestedInstalments: event.data.instalments },
        ...{ repaymentMethod: event.data.repaymentMethod, status: 'REQUESTED', risk: null, assessment: null },
        ...{ approved: null, terms: null, offerSentAt: null, offerExpiresAt: null, conditionsAcceptedAt: null },
        ...{ conditionsVersion: null, disbursedAt: null, operations: [], booked: null, accounts: null, wallet: null },
        ...{ accruedTo: null, writtenOff: false, paidOffDate: null, requestedAt: recordedAt, updatedAt: recordedAt },
        applicant: (opened as LoanApplicant | undefined) ?? null,
        history: [{ from: null, to: 'REQUESTED', by: null, reason: null, actor: actorOf(event), at: recordedAt }],
      });
      return;
    }
    const { loan, ...said } = event.data;
    const before = this.#known(loan);
    const updatedAt = event.type === 'loan-accrued' ? before.updatedAt : recordedAt;
    this.#loans.set(loan, { ...before, ...this.#changeOf(event, before, said), updatedAt });
  }

  #changeOf(event: StoredEvent & LoanEvent, before: LoanView, said: object): Partial<LoanView> {
    const { recordedAt } = event;
    const step = (to: LoanStatus, { by = null, reason = null } = {} as Partial<LoanView['history'][number]>) => ({
      status: to,
      history: [...before.history, { from: before.status, to, by, reason, actor: actorOf(event), at: recordedAt }],
    });
    switch (event.type) {
      case 'loan-assessed':
        return { risk: event.data.risk, assessment: said as NonNullable<LoanView['assessment']> };
      case 'loan-approved': {
        const { amount, annualRatePercent, instalments, fees, reason = null } = event.data;
        const approved = {
          amount: BigInt(amount),
          annualRatePercent,
          instalments,
          fees: fees.map(feeFromJson),
          reason,
        };
        return { ...step('APPROVED', { reason }), approved: { ...approved, at: recordedAt } };
      }
      case 'loan-offer-sent': {
        const { terms, expiresAt } = event.data;
        const sent = { offerSentAt: recordedAt, offerExpiresAt: instantOf(expiresAt) };
        return { ...step('OFFER_SENT'), terms: termsFromJson(terms), ...sent };
      }
      case 'loan-offer-accepted':
        return step('ACCEPTED');
      case 'loan-conditions-accepted':
        return { conditionsAcceptedAt: recordedAt, conditionsVersion: event.data.conditionsVersion };
      case 'loan-ended':
        return step(event.data.to, { by: event.data.by, reason: event.data.reason ?? null });
      case 'loan-disbursed': {
        const { terms, wallet, accounts, booked, operation, upTo } = event.data;
        return {
          ...step('DISBURSED'),
          ...{ terms: termsFromJson(terms), wallet, accounts, disbursedAt: recordedAt },
          ...this.#recorded(event, before, { booked, operation, upTo, repaymentId: null, reason: null }),
        };
      }
      case 'loan-operated': {
        const { operation, repayment, reason = null } = event.data;
        const repaymentId = repayment ?? (operation.kind === 'REPAID' ? operation.id : null);
        if (repaymentId !== null) this.#settle(event, operation, repaymentId, before);
        return this.#recorded(event, before, { ...event.data, repaymentId, reason });
      }
      case 'loan-accrued':
        return { booked: bookedFromJson(event.data.booked), accruedTo: event.data.upTo };
      case 'loan-paid-off':
        return { ...step('PAID_OFF'), paidOffDate: event.data.date };
      case 'loan-reopened':
        return { ...step('DISBURSED'), paidOffDate: null };
      default:
        throw new Error(`${event.type} is not known here`);
    }
  }

  #recorded(
    event: StoredEvent,
    before: LoanView,
    said: {
      readonly booked: BookedJson;
      readonly operation: OperationJson;
      readonly upTo: string;
      readonly repaymentId: string | null;
      readonly reason: string | null;
    },
  ): Partial<LoanView> {
    const { booked, operation, upTo, repaymentId, reason } = said;
    const by = { recordedAt: event.recordedAt, actor: actorOf(event) };
    const recorded: RecordedOperation = { ...operationFromJson(operation), ...by, repaymentId, reason };
    const operations = [...before.operations, recorded];
    const writtenOff = standing(operations).some(({ kind }) => kind === 'WRITTEN_OFF');
    return { operations, booked: bookedFromJson(booked), accruedTo: upTo, writtenOff };
  }

  #applyRepayment(event: StoredEvent & LoanEvent): void {
    const { recordedAt } = event;
    if (event.type === 'repayment-reported') {
      const { repayment, loan, amount, method, paymentDate, reference, bankAccount, payoff = false } = event.data;
      this.#repayments.set(repayment, {
        ...this.#startOf(event, repayment, this.#known(loan)),
        ...{ amount: BigInt(amount), method, paymentDate, reference, bankDetailId: bankAccount ?? null, payoff },
        ...{ status: 'PENDING_VERIFICATION', receivedAmount: null, valueDate: null, operationId: null },
        ...{ decidedBy: null, decidedAt: null },
      });
    } else if (event.type === 'repayment-verified') {
      const { repayment, receivedAmount, valueDate } = event.data;
      const decided = { decidedBy: actorOf(event), decidedAt: recordedAt };
      this.#change(repayment, { ...decided, status: 'VERIFIED', receivedAmount: BigInt(receivedAmount), valueDate });
    } else if (event.type === 'repayment-rejected') {
      const { repayment, reason } = event.data;
      this.#change(repayment, { decidedBy: actorOf(event), decidedAt: recordedAt, status: 'REJECTED', reason });
    }
  }

  #settle(event: StoredEvent, operation: OperationJson, repaymentId: string, loan: LoanView): void {
    if (this.#repayments.has(repaymentId)) {
      this.#change(repaymentId, { status: 'VERIFIED', operationId: operation.id });
      return;
    }
    if (!('amount' in operation)) throw new Error(`operation ${operation.id} moves no money`);
    const { id, date, amount } = operation;
    this.#repayments.set(repaymentId, {
      ...this.#startOf(event, repaymentId, loan),
      ...{ amount: BigInt(amount), method: 'method' in operation ? operation.method : operation.kind },
      ...{ paymentDate: date, reference: null, bankDetailId: null, payoff: false, status: 'VERIFIED', operationId: id },
      ...{ receivedAmount: BigInt(amount), valueDate: date, decidedBy: actorOf(event), decidedAt: event.recordedAt },
    });
  }

  #startOf(event: StoredEvent, repaymentId: string, { loanId, code, customerId, currency, agentId }: LoanView) {
    return {
      ...{ repaymentId, loanId, loanCode: code, customerId, currency, agentId, productName: '', reason: null },
      ...{ undone: false, portions: null, overpaid: 0n, reportedBy: actorOf(event), reportedAt: event.recordedAt },
    };
  }

  #change(repaymentId: string, change: Partial<RepaymentView>): void {
    const before = this.#repayments.get(repaymentId);
    if (before === undefined) throw new Error(`no repayment ${repaymentId}`);
    this.#repayments.set(repaymentId, { ...before, ...change });
  }

  #known(id: string): LoanView {
    const loan = this.#loans.get(id);
    if (loan === undefined) throw new Error(`no loan ${id}`);
    return loan;
  }

  #named(loan: LoanView): LoanView {
    return { ...loan, productName: this.productVersion(loan.productId, loan.productVersion)?.settings.name ?? '' };
  }

  loan(idOrCode: string): LoanView | undefined {
    const wanted = idOrCode.toLowerCase();
    return this.#all().find(({ loanId, code }) => loanId === wanted || code.toLowerCase() === wanted);
  }

  #all(): LoanView[] {
    return [...this.#loans.values()].map((loan) => this.#named(loan));
  }

  loansOfCustomer(customerId: string): LoanView[] {
    return newestFirst(this.#all()).filter((loan) => loan.customerId === customerId);
  }

  loans(filter: LoanFilter, sort: LoanSort = { by: 'requestedAt', descending: true }): LoanView[] {
    const { status, customerId, productId, agentIds, overdueOn, from = '', to = '9999-12-31' } = filter;
    const statuses = typeof status === 'string' ? [status] : status;
    const found = this.#all().filter(
      (loan) =>
        (statuses === undefined || statuses.includes(loan.status)) &&
        (customerId === undefined || loan.customerId === customerId) &&
        (productId === undefined || loan.productId === productId) &&
        (agentIds === undefined || agentIds.includes(loan.agentId ?? '')) &&
        (overdueOn === undefined || openOf(loan).some(({ dueDate }) => dueDate < overdueOn)) &&
        loan.requestedAt.slice(0, 10) >= from &&
        loan.requestedAt.slice(0, 10) <= to,
    );
    return sorted(found, sort);
  }

  /** Of running loans that are still owed, the oldest loan first. */
  openInstalments(): OpenInstalment[] {
    return this.#all().flatMap(openOf);
  }

  /** Those whose money went out. */
  disbursed(): LoanView[] {
    return this.#all().filter(({ disbursedAt }) => disbursedAt !== null);
  }

  product(productId: string): LoanProductView | undefined {
    return this.productVersion(productId, this.#products.get(productId)?.versions.length ?? 0);
  }

  productVersion(productId: string, version: number): LoanProductView | undefined {
    const product = this.#products.get(productId);
    const found = product?.versions[version - 1];
    if (product === undefined || found === undefined) return undefined;
    const { status, createdAt, updatedAt, versions } = product;
    return { ...found, status, createdAt, ...(found === versions.at(-1) ? { updatedAt } : {}) };
  }

  products(): LoanProductView[] {
    return [...this.#products.keys()].flatMap((id) => this.product(id) ?? []);
  }

  conditions(): LoanConditionsView | undefined {
    return this.#conditions;
  }

  repayment(id: string): RepaymentView | undefined {
    const found = this.#repayments.get(id);
    if (found === undefined) return undefined;
    const { agentId: _, ...view } = found;
    const loan = this.#named(this.#known(view.loanId));
    return { ...view, productName: loan.productName, ...settledBy(loan, id) };
  }

  /** Newest first. */
  repayments(filter: RepaymentFilter): RepaymentView[] {
    const { loanId, customerId, status, from = '', to = '9999-12-31', agentIds } = filter;
    return newestFirst(this.#repayments)
      .filter(
        ([, one]) =>
          (loanId === undefined || one.loanId === loanId) &&
          (customerId === undefined || one.customerId === customerId) &&
          (status === undefined || one.status === status) &&
          one.paymentDate >= from &&
          one.paymentDate <= to &&
          (agentIds === undefined || agentIds.includes(one.agentId ?? '')),
      )
      .flatMap(([id]) => this.repayment(id) ?? []);
  }

  withdrawal(reference: string): WithdrawalView | undefined {
    const wanted = reference.toLowerCase();
    return [...this.#withdrawals.values()].find(
      (one) => one.withdrawalId === wanted || one.reference.toLowerCase() === wanted,
    );
  }

  /** Newest first. */
  withdrawals(customerId: string): WithdrawalView[] {
    return newestFirst(this.#withdrawals.values()).filter((one) => one.customerId === customerId);
  }
}

/** As of the last day that anything is known of. Undefined before the money went out. */
export function positionOf({ terms, operations, accruedTo }: LoanView): LoanPosition | undefined {
  if (terms === null || accruedTo === null) return undefined;
  const asOf = [accruedTo, ...operations.map(({ date }) => date)].sort().at(-1) as string;
  return computeLoan(terms, operations, asOf);
}

export const leftOf = ({ due, paid, waived }: Pick<InstalmentPosition, 'due' | 'paid' | 'waived'>): ByBucket => ({
  principal: due.principal - paid.principal - waived.principal,
  interest: due.interest - paid.interest - waived.interest,
  fees: due.fees - paid.fees - waived.fees,
  penalty: due.penalty - paid.penalty - waived.penalty,
});

function openOf(loan: LoanView): OpenInstalment[] {
  if (loan.status !== 'DISBURSED') return [];
  const isLost = standing(loan.operations).some((one) => one.kind === 'WRITTEN_OFF' && one.stillOwed !== true);
  if (isLost) return [];
  const { loanId, code: loanCode, currency } = loan;
  return (positionOf(loan)?.instalments ?? [])
    .filter((instalment) => BUCKETS.some((bucket) => leftOf(instalment)[bucket] > 0n))
    .map((instalment) => {
      const { number, dueDate, due, paid, waived } = instalment;
      return { loan, loanId, loanCode, currency, number, dueDate, due, paid, waived, outstanding: leftOf(instalment) };
    });
}

/** What a repayment settled, as it is now. */
function settledBy(loan: LoanView, repaymentId: string): Partial<RepaymentView> {
  const operation = loan.operations.find((one) => one.repaymentId === repaymentId);
  const position = positionOf(loan);
  if (operation === undefined || position === undefined) return {};
  const mine = position.transactions.filter((one) => one.operation === operation.id);
  const portions = { ...NO_AMOUNTS } as { -readonly [B in keyof ByBucket]: bigint };
  for (const transaction of mine) for (const bucket of BUCKETS) portions[bucket] += transaction.portions[bucket];
  const overpaid = mine.reduce((sum, transaction) => sum + transaction.overpaid, 0n);
  return { portions, overpaid, undone: !standing(loan.operations).includes(operation) };
}

function sorted(loans: readonly LoanView[], { by, descending }: LoanSort): LoanView[] {
  const known = loans.map((loan, index) => ({ loan, index, value: loan[by] }));
  const direction = descending ? -1 : 1;
  known.sort((a, b) => {
    if (a.value === b.value) return direction * (a.index - b.index);
    if (a.value === null || b.value === null) return a.value === null ? 1 : -1;
    return direction * (a.value < b.value ? -1 : 1);
  });
  return known.map(({ loan }) => loan);
}
