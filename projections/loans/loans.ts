import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { LoanStep } from '../../application/ports/read-models.js';
import type { Row } from '../../application/ports/read-store.js';
import type {
  BookedJson,
  LoanDisbursed,
  LoanEvent,
  LoanOperated,
  LoanRequested,
  LoanStatus,
} from '../../domain/loan/events.js';
import { Changes } from '../changes.js';
import type { Loaded } from '../projection.js';
import { actorOf, decidedColumns, directRow, reportedRow, settledColumns } from '../repayments/rows.js';
import { LOAN_REPAYMENTS } from '../repayments/table.js';
import { NOTHING_BOOKED, bookedColumns } from './booked.js';
import { type RecordedJson, operationsText, stepsText } from './recorded.js';
import { RowsSoFar } from './rows-so-far.js';
import { type RunningLoan, accrualChanges, runningLoan, writeOffOf } from './running-loan.js';
import { positionOf } from './position.js';
import { putInstalments, settleRepayments } from './schedule.js';
import { LOANS, LOAN_APPLICATIONS } from './tables.js';

type Event = ScannedEvent & LoanEvent;

/** The loans that a batch touches. */
export class Loans {
  readonly changes = new Changes();
  readonly #loans = new Map<string, RunningLoan>();
  readonly #rows: RowsSoFar;

  constructor(private readonly loaded: Loaded) {
    this.#rows = new RowsSoFar(loaded);
  }

  apply(event: Event): void {
    this.#change(event);
    const loan = this.#of(event);
    if (loan.isChanged) this.#reschedule(loan);
  }

  #change(event: Event): void {
    const { recordedAt } = event;
    switch (event.type) {
      case 'loan-requested':
        this.#request(event);
        return;
      case 'loan-assessed': {
        const { loan: loan_id, ...assessment } = event.data;
        this.#patch(event, { risk: assessment.risk, updated_at: recordedAt });
        const { tenantId: tenant_id } = event;
        this.changes.patch(LOAN_APPLICATIONS, { tenant_id, loan_id, assessment: JSON.stringify(assessment) });
        return;
      }
      case 'loan-approved': {
        const { loan: _, reason, ...approved } = event.data;
        const text = JSON.stringify({ ...approved, reason: reason ?? null, at: recordedAt });
        this.#step(event, 'APPROVED', { approved: text }, { reason: reason ?? null });
        return;
      }
      case 'loan-offer-sent': {
        const { terms, expiresAt } = event.data;
        this.#of(event).terms = terms;
        const sent = { offer_sent_at: recordedAt, offer_expires_at: new Date(expiresAt).toISOString() };
        this.#step(event, 'OFFER_SENT', { terms: JSON.stringify(terms), ...sent });
        return;
      }
      case 'loan-offer-accepted':
        this.#step(event, 'ACCEPTED', {});
        return;
      case 'loan-conditions-accepted': {
        const accepted = { conditions_accepted_at: recordedAt, conditions_version: event.data.conditionsVersion };
        this.#patch(event, { ...accepted, updated_at: recordedAt });
        return;
      }
      case 'loan-ended': {
        const { to, by, reason = null } = event.data;
        this.#step(event, to, {}, { by, reason });
        return;
      }
      case 'loan-disbursed':
        this.#disburse(event);
        return;
      case 'loan-operated':
        this.#operate(event);
        return;
      case 'loan-accrued': {
        const { upTo, booked } = event.data;
        const loan = this.#of(event);
        loan.accruedTo = upTo;
        if (loan.terms === undefined || accrualChanges(loan.terms, loan.earned, booked)) loan.isChanged = true;
        this.#patch(event, { accrued_to: upTo, ...this.#booked(loan, booked) });
        return;
      }
      case 'loan-paid-off':
        this.#of(event).isChanged = true;
        this.#step(event, 'PAID_OFF', { paid_off_date: event.data.date });
        return;
      case 'loan-reopened':
        this.#of(event).isChanged = true;
        this.#step(event, 'DISBURSED', { paid_off_date: null });
        return;
      case 'repayment-reported':
        this.#insertRepayment(reportedRow(event, repaidLoan(this.#of(event))));
        return;
      case 'repayment-verified':
      case 'repayment-rejected':
        this.#patchRepayment(event, event.data.repayment, decidedColumns(event));
    }
  }

  /** Writes the schedule as it is after the event, so that the rows do not depend on where one batch ends. */
  #reschedule(loan: RunningLoan): void {
    const { terms, operations, accruedTo } = loan;
    loan.isChanged = false;
    if (terms === undefined || accruedTo === undefined) return;
    const position = positionOf({ terms, operations, accruedTo });
    putInstalments(loan, position, this.#rows, this.changes);
    settleRepayments(loan, position, this.#rows, this.changes);
  }

  #request(event: ScannedEvent & LoanRequested): void {
    const { tenantId: tenant_id, recordedAt, revision, data } = event;
    const key = { tenant_id, loan_id: data.loan };
    const { agent: agent_id = null, person } = data;
    const step = stepOf(event, null, 'REQUESTED');
    const row = {
      ...{ ...key, code: data.code, customer_id: data.customer, agent_id, product_id: data.product },
      ...{ product_version: data.productVersion, currency: data.currency, requested_amount: data.amount },
      ...{ requested_instalments: data.instalments, repayment_method: data.repaymentMethod, status: 'REQUESTED' },
      ...{ risk: null, approved: null, terms: null, offer_sent_at: null, offer_expires_at: null },
      ...{ conditions_accepted_at: null, conditions_version: null, disbursed_at: null, disbursed_date: null },
      ...{ operations: '[]', wallet: null, accounts: null, accrued_to: null, ...NOTHING_BOOKED },
      ...{ written_off: false, paid_off_date: null, maturity_date: null, oldest_open_date: null },
      ...{ instalment_slots: 0, history: stepsText([step]) },
      ...{ requested_revision: revision, requested_at: recordedAt, updated_at: recordedAt },
    };
    this.#loans.set(nameOf(key), runningLoan(key, row));
    this.changes.insert(LOANS, row);
    // Opened where it is read: what an erased person told is gone without a change here.
    this.changes.insert(LOAN_APPLICATIONS, { ...key, sealed_applicant: person.sealed, assessment: null });
  }

  #disburse(event: ScannedEvent & LoanDisbursed): void {
    const { terms, operation, wallet, accounts, booked, upTo } = event.data;
    const loan = this.#of(event);
    loan.terms = terms;
    loan.accruedTo = upTo;
    this.#step(event, 'DISBURSED', {
      ...{ terms: JSON.stringify(terms), wallet, accounts: JSON.stringify(accounts) },
      ...{ disbursed_at: event.recordedAt, disbursed_date: operation.date, accrued_to: upTo },
      ...this.#booked(loan, booked),
      ...this.#record(loan, { ...operation, ...recording(event, null), reason: null }),
    });
  }

  #operate(event: ScannedEvent & LoanOperated): void {
    const { operation, repayment, reason = null, booked, upTo } = event.data;
    const loan = this.#of(event);
    const repaymentId = repayment ?? (operation.kind === 'REPAID' ? operation.id : null);
    const recorded = this.#record(loan, { ...operation, ...recording(event, repaymentId), reason });
    loan.accruedTo = upTo;
    this.#patch(event, {
      ...{ ...recorded, ...this.#booked(loan, booked), accrued_to: upTo, updated_at: event.recordedAt },
      written_off: writeOffOf(loan.operations).isWrittenOff,
    });
    if (repaymentId === null) return;
    if (this.#rows.get(LOAN_REPAYMENTS, { tenant_id: event.tenantId, repayment_id: repaymentId }) !== undefined) {
      this.#patchRepayment(event, repaymentId, settledColumns(event.data));
    } else {
      this.#insertRepayment(directRow(event, repaymentId, repaidLoan(loan)));
    }
  }

  #record(loan: RunningLoan, recorded: RecordedJson): Row {
    loan.operations = [...loan.operations, recorded];
    loan.isChanged = true;
    return { operations: operationsText(loan.operations) };
  }

  #booked(loan: RunningLoan, booked: BookedJson): Row {
    loan.earned = { fees: BigInt(booked.earned.fees), penalty: BigInt(booked.earned.penalty) };
    return bookedColumns(booked);
  }

  #step(event: Event, to: LoanStatus, columns: Row, said: Partial<Pick<LoanStep, 'by' | 'reason'>> = {}): void {
    const loan = this.#of(event);
    loan.steps = [...loan.steps, { ...stepOf(event, loan.status, to), ...said }];
    loan.status = to;
    this.#patch(event, { ...columns, status: to, history: stepsText(loan.steps), updated_at: event.recordedAt });
  }

  #patch(event: Event, columns: Row): void {
    this.changes.patch(LOANS, { tenant_id: event.tenantId, loan_id: event.data.loan, ...columns });
  }

  #insertRepayment(row: Row): void {
    this.#rows.set(LOAN_REPAYMENTS, row);
    this.changes.insert(LOAN_REPAYMENTS, row);
  }

  #patchRepayment({ tenantId: tenant_id }: Event, repayment_id: string, columns: Row): void {
    this.changes.patch(LOAN_REPAYMENTS, { tenant_id, repayment_id, ...columns });
  }

  #of({ tenantId: tenant_id, data: { loan: loan_id } }: Event): RunningLoan {
    const key = { tenant_id, loan_id };
    const known = this.#loans.get(nameOf(key));
    if (known !== undefined) return known;
    const row = this.loaded.get(LOANS, key);
    if (row === undefined) throw new Error(`loan ${loan_id}, which nobody requested`);
    const loan = runningLoan(key, row);
    this.#loans.set(nameOf(key), loan);
    return loan;
  }
}

const nameOf = (key: RunningLoan['key']): string => `${key.tenant_id} ${key.loan_id}`;
const repaidLoan = ({ key, customerId, agentId, currency }: RunningLoan) => ({
  ...{ loanId: key.loan_id, customerId, agentId, currency },
});
const recording = (event: Event, repaymentId: string | null) => ({
  ...{ recordedAt: event.recordedAt, actor: actorOf(event), repaymentId },
});

function stepOf(event: Event, from: LoanStatus | null, to: LoanStatus): LoanStep {
  return { from, to, by: null, reason: null, actor: actorOf(event), at: event.recordedAt };
}
