import { type Payment, payDue } from './allocate.js';
import { changeRate, partFor, reamortise, reschedule } from './engine-changes.js';
import { disburse, reopenAfter } from './engine-disburse.js';
import { closeDue, payEarly } from './engine-early.js';
import { putFees, putPenalties } from './engine-fees.js';
import { layOut } from './engine-layout.js';
import { owedOn } from './engine-owed.js';
import {
  type Part,
  type Running,
  type Transaction,
  addAmounts,
  isSettled,
  leftOf,
  move,
  noAmounts,
  outstandingAtEnd,
  reopen,
  sumAmounts,
} from './engine-state.js';
import { waive } from './engine-waive.js';
import type { LoanOperation } from './operations.js';
import { larger, smaller } from './schedule-rounding.js';
import { BUCKETS, type PrepaymentRule } from './terms.js';

type Of<K extends LoanOperation['kind']> = Extract<LoanOperation, { kind: K }>;

/** The days up to one pass: instalments fall due, late ones are penalised. */
export function passTo(running: Running, day: string): void {
  closeDue(running, day);
  putPenalties(running, day);
}

/** Actual interest: what is open, as it will be if all is paid from this day on. */
export function layOutOpen(running: Running, day: string): void {
  if (running.laidOutFor !== day) layOut(running, running.open, day);
  putFees(running, running.open);
}

/** One thing that happened, on top of all that took effect before it. */
export function applyOperation(running: Running, operation: LoanOperation): void {
  if (running.lost !== undefined) {
    applyAfterLoss(running, operation);
    return;
  }
  const { date } = operation;
  switch (operation.kind) {
    case 'DISBURSED':
      disburse(running, date, operation.amount);
      record(running, operation, operation.amount);
      break;
    case 'REPAID':
      receive(running, operation, running.rule);
      break;
    case 'CREDITED':
      receive(running, operation, operation.prepayment ?? running.rule);
      break;
    case 'CHARGED_BACK':
      chargeBack(running, operation);
      break;
    case 'CHARGED':
      charge(running, operation);
      break;
    case 'WAIVED':
      if (running.isActual) layOutOpen(running, date);
      record(running, operation, operation.amount).portions[operation.bucket] = waive(running, operation);
      break;
    case 'RATE_CHANGED':
      changeRate(running, date, operation.annualRatePercent);
      break;
    case 'PREPAYMENT_RULE_SET':
      running.rule = operation.rule;
      break;
    case 'REAMORTISED':
      recordMoved(running, operation, reamortise(running, date));
      break;
    case 'REAGED':
      recordMoved(running, operation, reschedule(running, date, operation));
      break;
    case 'RESCHEDULED':
      if (operation.annualRatePercent !== undefined) changeRate(running, date, operation.annualRatePercent);
      recordMoved(running, operation, reschedule(running, date, operation));
      break;
    case 'WRITTEN_OFF':
      writeOff(running, operation);
      break;
    case 'RECOVERED':
      running.recovered += operation.amount;
      record(running, operation, operation.amount);
      break;
    case 'UNDONE':
      break;
  }
  useOverpayment(running, operation);
}

function record(
  running: Running,
  { id, date, kind }: LoanOperation,
  amount: bigint,
  as: Transaction['kind'] = kind,
): Transaction {
  const transaction: Transaction = { operation: id, date, kind: as, amount, portions: noAmounts(), overpaid: 0n };
  running.transactions.push(transaction);
  return transaction;
}

function recordMoved(running: Running, operation: LoanOperation, moved: bigint): void {
  record(running, operation, moved).portions.principal = moved;
}

function receive(running: Running, operation: Of<'REPAID' | 'CREDITED'>, rule: PrepaymentRule): void {
  const transaction = record(running, operation, operation.amount);
  const payment: Payment = { date: operation.date, transaction, left: operation.amount };
  payDue(running, payment);
  payEarly(running, payment, rule);
  transaction.overpaid = payment.left;
  running.overpaid += payment.left;
}

/** Money that was paid too much settles what comes to be owed later. */
function useOverpayment(running: Running, operation: LoanOperation): void {
  const makesOwed = operation.kind === 'DISBURSED' || operation.kind === 'CHARGED' || operation.kind === 'CHARGED_BACK';
  if (running.overpaid === 0n || !makesOwed) return;
  const transaction = record(running, operation, 0n, 'OVERPAYMENT_USED');
  const payment: Payment = { date: operation.date, transaction, left: running.overpaid };
  payDue(running, payment);
  payEarly(running, payment, 'NEXT_INSTALMENT');
  transaction.overpaid = payment.left - running.overpaid;
  running.overpaid = payment.left;
  if (transaction.overpaid === 0n) running.transactions.pop();
}

/** First what was paid too much is taken back, then what was paid is owed again. */
function chargeBack(running: Running, operation: Of<'CHARGED_BACK'>): void {
  const { date, amount, restores } = operation;
  const transaction = record(running, operation, amount);
  const used = smaller(running.overpaid, amount);
  running.overpaid -= used;
  transaction.overpaid = -used;
  let left = amount - used;
  const original = running.transactions.find(({ operation: id }) => id === restores?.operation);
  for (const bucket of restores?.order ?? []) {
    const most = larger(
      0n,
      (original?.portions[bucket] ?? 0n) - (bucket === 'principal' ? 0n : running.restored[bucket]),
    );
    const again = bucket === 'principal' ? 0n : smaller(left, most);
    transaction.portions[bucket] += again;
    left -= again;
  }
  transaction.portions.principal += left;
  if (used === amount) return;
  addAmounts(running.restored, { ...transaction.portions, principal: 0n });
  if (running.isActual && running.open === running.regular.length) reopenAfter(running, date);
  const part = partAgain(running, date);
  addAmounts(part.again, transaction.portions);
  reopen(running, part);
  move(running, date, transaction.portions.principal);
}

/** What is owed again is due with the next instalment; on the last day with the last one, after the end at once. */
function partAgain(running: Running, date: string): Part {
  const next = running.regular.find(({ period }) => period.due > date);
  return next ?? partFor(running, date);
}

function charge(running: Running, { due, bucket, amount }: Of<'CHARGED'>): void {
  const part = partFor(running, due);
  part.charges.push({ bucket, amount, due });
  if (!isSettled(part)) reopen(running, part);
}

function writeOff(running: Running, operation: Of<'WRITTEN_OFF'>): void {
  const { date, stillOwed = false } = operation;
  const amounts = stillOwed ? everythingLeft(running, date) : owedOn(running, date);
  // Of a CUMULATIVE schedule later disbursements are in it already: they are lost as well.
  if (!stillOwed) amounts.principal = larger(0n, outstandingAtEnd(running));
  addAmounts(record(running, operation, sumAmounts(amounts)).portions, amounts);
  if (!stillOwed) running.lost = { date, amounts };
}

function everythingLeft(running: Running, day: string): ReturnType<typeof noAmounts> {
  if (running.isActual) layOutOpen(running, day);
  const amounts = noAmounts();
  for (const part of running.parts) {
    for (const bucket of BUCKETS) amounts[bucket] += larger(0n, leftOf(part, bucket));
  }
  return amounts;
}

/** Given up: what comes in is a recovery, or nobody's; what goes out is lost as well. */
function applyAfterLoss(running: Running, operation: LoanOperation): void {
  const lost = (running.lost as NonNullable<Running['lost']>).amounts;
  switch (operation.kind) {
    case 'RECOVERED':
      running.recovered += operation.amount;
      record(running, operation, operation.amount);
      return;
    case 'REPAID':
    case 'CREDITED':
      running.overpaid += operation.amount;
      record(running, operation, operation.amount).overpaid = operation.amount;
      return;
    case 'DISBURSED':
      lost.principal += operation.amount;
      record(running, operation, operation.amount);
      return;
    case 'CHARGED_BACK': {
      const used = smaller(running.overpaid, operation.amount);
      running.overpaid -= used;
      lost.principal += operation.amount - used;
      const transaction = record(running, operation, operation.amount);
      transaction.overpaid = -used;
      transaction.portions.principal = operation.amount - used;
      return;
    }
    default:
      return;
  }
}
