import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row } from '../../application/ports/read-store.js';
import type { LoanEvent } from '../../domain/loan/events.js';
import { type Loaded, type Need, type Projection, textOf } from '../projection.js';
import { LOAN_REPAYMENTS } from '../repayments/table.js';
import { Loans } from './loans.js';
import { recordedOf } from './recorded.js';
import { changesSchedule } from './running-loan.js';
import { LOANS, LOAN_APPLICATIONS, LOAN_INSTALMENTS } from './tables.js';

type Event = ScannedEvent & LoanEvent;

export function loansProjection(): Projection {
  return {
    name: 'loans',
    version: 1,
    tables: [LOANS, LOAN_APPLICATIONS, LOAN_INSTALMENTS, LOAN_REPAYMENTS],
    handles: [
      'loan-requested',
      'loan-assessed',
      'loan-approved',
      'loan-offer-sent',
      'loan-offer-accepted',
      'loan-conditions-accepted',
      'loan-ended',
      'loan-disbursed',
      'loan-operated',
      'loan-accrued',
      'loan-paid-off',
      'loan-reopened',
      'repayment-reported',
      'repayment-verified',
      'repayment-rejected',
    ],
    answersQueries: true,
    needs: (events, loaded) => neededRows(events as readonly Event[], loaded),
    project(events, loaded) {
      const loans = new Loans(loaded);
      for (const event of events) loans.apply(event as Event);
      return loans.changes;
    },
  };
}

/** The loans; then, of those whose schedule may change, its rows and those of the repayments in it. */
function neededRows(events: readonly Event[], loaded: Loaded): Need[] {
  const loans: Row[] = [];
  const instalments: Row[] = [];
  const repayments: Row[] = [];
  for (const event of events) {
    if (event.type === 'loan-requested') continue;
    const { tenantId: tenant_id, data } = event;
    const key = { tenant_id, loan_id: data.loan };
    loans.push(key);
    if (event.type === 'loan-operated' && event.data.repayment !== undefined) {
      repayments.push({ tenant_id, repayment_id: event.data.repayment });
    }
    const row = loaded.get(LOANS, key);
    if (row === undefined || !changesSchedule(event, row)) continue;
    for (let number = 0; number < (row['instalment_slots'] as number); number += 1) {
      instalments.push({ ...key, number });
    }
    for (const { repaymentId } of recordedOf(textOf(row['operations']))) {
      if (repaymentId !== null) repayments.push({ tenant_id, repayment_id: repaymentId });
    }
  }
  return [
    { table: LOANS, keys: loans },
    { table: LOAN_INSTALMENTS, keys: instalments },
    { table: LOAN_REPAYMENTS, keys: repayments },
  ];
}
