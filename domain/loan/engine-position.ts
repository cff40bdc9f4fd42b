import { daysBetween } from './calendar.js';
import { owedOn } from './engine-owed.js';
import {
  type Amounts,
  type Part,
  type Running,
  addAmounts,
  dueOf,
  isSettled,
  leftOf,
  noAmounts,
  sumAmounts,
} from './engine-state.js';
import type { InstalmentPosition, LoanPosition, LoanTransaction } from './position.js';
import { larger } from './schedule-rounding.js';
import { BUCKETS } from './terms.js';

/** Where a loan stands after all that took effect up to a day. */
export function positionOn(running: Running, asOf: string): LoanPosition {
  const { lost, restored } = running;
  const totals = { scheduled: noAmounts(), paid: noAmounts(), waived: noAmounts(), overdue: noAmounts() };
  for (const part of running.parts) {
    addAmounts(totals.scheduled, dues(part));
    addAmounts(totals.paid, part.paid);
    addAmounts(totals.waived, part.waived);
    if (part.period.due > asOf || lost !== undefined) continue;
    for (const bucket of BUCKETS) totals.overdue[bucket] += larger(0n, leftOf(part, bucket));
  }
  addAmounts(totals.paid, restored, -1n);
  const oldest =
    lost === undefined ? running.parts.find((part) => part.period.due <= asOf && !isSettled(part)) : undefined;
  const daysOverdue = oldest === undefined ? 0 : daysBetween(oldest.period.due, asOf);
  const next = running.parts.find((part) => part.period.due >= asOf && !isSettled(part));
  return {
    asOf,
    instalments: instalmentsOf(running),
    transactions: transactionsOf(running),
    outstanding: lost === undefined ? owedOn(running, asOf) : noAmounts(),
    ...totals,
    writtenOff: lost?.amounts ?? noAmounts(),
    ...{ recovered: running.recovered, overpaid: running.overpaid },
    ...{ oldestOverdueDate: oldest?.period.due ?? null, daysOverdue },
    nextDueDate: lost === undefined ? (next?.period.due ?? null) : null,
    maturityDate: running.parts.at(-1)?.period.due ?? null,
    status: statusOf(running, daysOverdue),
  };
}

function statusOf(running: Running, daysOverdue: number): LoanPosition['status'] {
  if (running.tranches.length === 0) return 'PENDING_DISBURSEMENT';
  if (running.lost !== undefined) return 'WRITTEN_OFF';
  if (running.overpaid > 0n) return 'OVERPAID';
  if (running.parts.every(isSettled)) return 'PAID_OFF';
  return daysOverdue > 0 ? 'IN_ARREARS' : 'ACTIVE';
}

function dues(part: Part): Amounts {
  const amounts = noAmounts();
  for (const bucket of BUCKETS) amounts[bucket] = dueOf(part, bucket);
  return amounts;
}

function instalmentsOf(running: Running): InstalmentPosition[] {
  const isBullet = running.terms.schedule === 'BULLET';
  const last = running.regular.at(-1);
  const shown = running.parts.filter(
    (part) => !isBullet || part.kind !== 'REGULAR' || part === last || sumAmounts(dues(part)) > 0n,
  );
  const first = shown[0]?.kind === 'DOWN_PAYMENT' ? 0 : 1;
  let placed = 0n;
  return shown.map((part, index) => {
    placed += part.principal;
    // One literal: see newPart.
    return {
      number: first + index,
      kind: part.kind,
      fromDate: part.period.from,
      dueDate: part.period.due,
      due: dues(part),
      paid: { ...part.paid },
      waived: { ...part.waived },
      paidInAdvance: part.inAdvance,
      paidLate: part.late,
      balance: disbursedBefore(running, part, part === last) - placed,
      paidDate: isSettled(part) ? part.paidDate : null,
    };
  });
}

/** What was disbursed when an instalment is due; a later disbursement of that day stands behind a regular one. */
function disbursedBefore(running: Running, part: Part, isLast: boolean): bigint {
  const { due } = part.period;
  const isOnDay = isLast || part.kind !== 'REGULAR' || running.terms.scheduling === 'CUMULATIVE';
  let sum = due > running.replannedOn ? running.replanned : 0n;
  for (const { date, amount } of running.tranches) if (date < due || (isOnDay && date === due)) sum += amount;
  return sum;
}

function transactionsOf({ transactions }: Running): LoanTransaction[] {
  let balance = 0n;
  return transactions.map((transaction) => {
    balance += effect(transaction);
    return { ...transaction, portions: { ...transaction.portions }, balance: larger(0n, balance) };
  });
}

/** What a transaction does to the principal outstanding. */
function effect({ kind, amount, portions }: Running['transactions'][number]): bigint {
  switch (kind) {
    case 'DISBURSED':
      return amount;
    case 'CHARGED_BACK':
      return portions.principal;
    case 'REPAID':
    case 'CREDITED':
    case 'OVERPAYMENT_USED':
      return -portions.principal;
    default:
      return 0n;
  }
}
