import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row } from '../../application/ports/read-store.js';
import type {
  LoanOperated,
  RepaymentRejected,
  RepaymentReported,
  RepaymentVerified,
} from '../../domain/loan/events.js';

/** The loan that a repayment belongs to. */
export interface RepaidLoan {
  readonly loanId: string;
  readonly customerId: string;
  readonly agentId: string | null;
  readonly currency: string;
}

export const actorOf = ({ meta }: ScannedEvent): string => meta['actor'] ?? '';

export function reportedRow(event: ScannedEvent & RepaymentReported, loan: RepaidLoan): Row {
  const { repayment, amount, method, paymentDate, reference, bankAccount, payoff = false } = event.data;
  return {
    ...startingRow(event, repayment, loan),
    ...{ amount, method, payment_date: paymentDate, reference, bank_detail_id: bankAccount ?? null, payoff },
    ...{ status: 'PENDING_VERIFICATION', received_amount: null, value_date: null, operation_id: null },
    ...{ decided_by: null, decided_at: null },
  };
}

/** A repayment that nobody reported before: taken at once, or recorded by staff. */
export function directRow(event: ScannedEvent & LoanOperated, repaymentId: string, loan: RepaidLoan): Row {
  const { operation } = event.data;
  if (!('amount' in operation)) throw new Error(`operation ${operation.id} moves no money`);
  const { amount, date, id } = operation;
  const method = 'method' in operation ? operation.method : operation.kind;
  return {
    ...startingRow(event, repaymentId, loan),
    ...{ amount, method, payment_date: date, reference: null, bank_detail_id: null, payoff: false },
    ...{ status: 'VERIFIED', received_amount: amount, value_date: date, operation_id: id },
    ...{ decided_by: actorOf(event), decided_at: event.recordedAt },
  };
}

/** What becomes of a reported repayment when its operation is recorded. */
export function settledColumns({ operation }: LoanOperated['data']): Row {
  return { status: 'VERIFIED', operation_id: operation.id };
}

export function decidedColumns(event: ScannedEvent & (RepaymentVerified | RepaymentRejected)): Row {
  const decided = { decided_by: actorOf(event), decided_at: event.recordedAt };
  if (event.type === 'repayment-rejected') return { ...decided, status: 'REJECTED', reason: event.data.reason };
  const { receivedAmount, valueDate } = event.data;
  return { ...decided, status: 'VERIFIED', received_amount: receivedAmount, value_date: valueDate };
}

function startingRow(event: ScannedEvent, repayment_id: string, loan: RepaidLoan): Row {
  const { tenantId: tenant_id, revision, recordedAt } = event;
  const { loanId: loan_id, customerId: customer_id, agentId: agent_id, currency } = loan;
  return {
    ...{ tenant_id, repayment_id, loan_id, customer_id, agent_id, currency },
    ...{ reason: null, undone: false, overpaid: 0n },
    ...{ principal_portion: null, interest_portion: null, fees_portion: null, penalty_portion: null },
    ...{ reported_by: actorOf(event), reported_revision: revision, reported_at: recordedAt },
  };
}
