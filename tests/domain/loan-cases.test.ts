/** Schedules and whole life cycles of loans against tests/reference/lending.json, which nobody here made up. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { addPeriods } from '../../domain/loan/calendar.js';
import { computeLoan } from '../../domain/loan/compute.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import type { InstalmentPosition, LoanPosition } from '../../domain/loan/position.js';
import { DEFAULT_ALLOCATION, type Frequency, type LoanTerms } from '../../domain/loan/terms.js';
import { lendingCases } from '../support/lending-cases.js';
import { Lifecycle, type LifecycleCase, cents } from '../support/lifecycle-cases.js';
import { repositoryRoot } from '../support/repository.js';

const TERMS: LoanTerms = {
  currency: 'USD',
  principal: 0n,
  annualRatePercent: '0',
  schedule: 'EQUAL_INSTALMENTS',
  instalments: 1,
  frequency: { every: 1, unit: 'MONTHS' },
  dayCount: '30/360',
  interestBy: 'PERIOD',
  recalculates: false,
  graceOnPrincipal: 0,
  graceOnInterest: 0,
  interestFreePeriods: 0,
  rounding: { multiple: 1n, mode: 'HALF_EVEN' },
  fees: [],
  prepayment: 'NEXT_INSTALMENT',
  allocation: DEFAULT_ALLOCATION,
};

interface EmiInputs {
  readonly annual_rate_percent: string;
  readonly days_in_year: string;
  readonly days_in_month: string;
  readonly period_frequency: Frequency['unit'];
  readonly repay_every: number;
  readonly periods: readonly { readonly from_date: string; readonly due_date: string }[];
  readonly events: readonly {
    readonly type: string;
    readonly date: string;
    readonly amount?: string;
    readonly rate?: string;
  }[];
}
interface EmiRow {
  readonly n: number;
  readonly emi: string;
  readonly interest: string;
  readonly principal: string;
  readonly balance: string;
}

/** Where the periods of a case leave the rhythm they began with, the loan is rescheduled on that day. */
function datesOf({ periods, period_frequency: unit, repay_every: every }: EmiInputs): {
  firstDueDate: string;
  moved: LoanOperation[];
} {
  // A period ends where the next one begins: some cases print other days of an extraction as due dates.
  const dues = periods.slice(1).map(({ from_date: from }) => from);
  const moved: LoanOperation[] = [];
  let [anchor, count] = [dues[0] ?? '', 0];
  for (const [index, due] of dues.entries()) {
    if (due !== addPeriods(anchor, count * every, unit)) {
      const date = dues[index - 1] ?? '';
      moved.push({ id: `moved-${index}`, date, kind: 'RESCHEDULED', firstDueDate: due });
      [anchor, count] = [due, 0];
    }
    count += 1;
  }
  return { firstDueDate: dues[0] ?? periods[0]?.due_date ?? '', moved };
}

function emiTerms(inputs: EmiInputs): LoanTerms {
  const is30 = inputs.days_in_month === 'DAYS_30';
  const dayCount = is30
    ? '30/360'
    : inputs.days_in_year === 'DAYS_365'
      ? 'ACT/365'
      : inputs.days_in_year === 'DAYS_360'
        ? 'ACT/360'
        : 'ACT/ACT';
  return {
    ...TERMS,
    ...{ annualRatePercent: inputs.annual_rate_percent, instalments: inputs.periods.length, dayCount },
    frequency: { every: inputs.repay_every, unit: inputs.period_frequency },
    interestBy: is30 ? 'PERIOD' : 'DAILY',
    scheduling: 'PROGRESSIVE',
  };
}

test('progressive schedules: each is the source’s after each event', (t) => {
  const cases = lendingCases<EmiInputs, { after_events: number; schedule: EmiRow[] }[]>('progressive_emi_schedule');
  t.ok(cases.length >= 6, 'the cases are there');
  for (const { id, inputs, expected } of cases) {
    const { moved, firstDueDate } = datesOf(inputs);
    const start = inputs.periods[0]?.from_date ?? '';
    const events = inputs.events.map((event, index): LoanOperation => ({
      id: `event-${index}`,
      date: event.date,
      kind: 'DISBURSED',
      amount: cents(event.amount),
    }));
    t.ok(
      inputs.events.every(({ type }) => type === 'disbursement'),
      `${id}: only events that are known`,
    );
    const terms = { ...emiTerms(inputs), firstDueDate, startDate: start };
    for (const { after_events: count, schedule } of expected) {
      const happened = events.slice(0, count);
      const { instalments } = computeLoan(terms, withMoves(terms, happened, moved), '2100-01-01');
      // The source's balance of a day has what is disbursed on it.
      const sameDay = (day: string): bigint =>
        happened.reduce((sum, one) => (one.kind === 'DISBURSED' && one.date === day ? sum + one.amount : sum), 0n);
      const rows = instalments.map((one) => ({ ...emiRow(one), balance: one.balance + sameDay(one.dueDate) }));
      t.strictSame(rows, schedule.map(expectedEmi), `${id} after ${count} events`);
    }
  }
  t.end();
});

/** The source's schedules are plans: by the day that dates are moved, what was due is paid. */
function withMoves(
  terms: LoanTerms,
  events: readonly LoanOperation[],
  moves: readonly LoanOperation[],
): LoanOperation[] {
  let operations = [...events];
  for (const moved of moves) {
    const { overdue } = computeLoan(terms, operations, moved.date);
    const amount = overdue.principal + overdue.interest;
    const repaid = { id: `paid-${moved.id}`, date: moved.date, kind: 'REPAID', amount, method: 'PLAN' } as const;
    operations = [...operations, repaid, moved];
  }
  return operations;
}

function emiRow({ number, due, balance }: InstalmentPosition): Record<string, unknown> {
  return {
    ...{ n: number, emi: due.principal + due.interest, interest: due.interest, principal: due.principal, balance },
  };
}
function expectedEmi({ n, emi, interest, principal, balance }: EmiRow): Record<string, unknown> {
  return {
    ...{ n, emi: cents(emi), interest: cents(interest), principal: cents(principal), balance: cents(balance) },
  };
}

/** Amounts of the source are whole units. */
function units(text: string): bigint {
  return BigInt(text);
}
function near(a: bigint, b: bigint): boolean {
  return a - b <= 1n && b - a <= 1n;
}

interface LevelInputs {
  readonly principal: string;
  readonly annual_rate_percent: string;
  readonly n: string;
  readonly note: string;
}
interface LevelExpected {
  readonly emi: string;
  readonly total_interest: string;
  readonly total_payment: string;
  readonly rows: readonly {
    readonly n: number;
    readonly principal: string;
    readonly interest: string;
    readonly balance: string;
  }[];
}

test('level instalments in whole units', (t) => {
  const cases = lendingCases<LevelInputs, LevelExpected>('level_emi_whole_units');
  t.ok(cases.length >= 1, 'the case is there');
  for (const { id, inputs, expected } of cases) {
    const terms: LoanTerms = {
      ...{ ...TERMS, principal: units(inputs.principal), annualRatePercent: inputs.annual_rate_percent },
      instalments: Number.parseInt(inputs.n, 10),
      rounding: { multiple: 1n, mode: inputs.note.includes('rounded UP') ? 'UP' : 'HALF_EVEN' },
      scheduling: 'CUMULATIVE',
    };
    const { instalments, scheduled } = planned(terms);
    t.equal(
      instalments[0]?.due.principal ?? 0n,
      units(expected.emi) - (instalments[0]?.due.interest ?? 0n),
      `${id} instalment`,
    );
    t.ok(near(scheduled.interest, units(expected.total_interest)), `${id} interest`);
    t.ok(near(scheduled.interest + scheduled.principal, units(expected.total_payment)), `${id} total`);
    for (const row of expected.rows) {
      const found = instalments[row.n - 1];
      t.ok(near(found?.due.principal ?? 0n, units(row.principal)), `${id} principal ${row.n}`);
      t.ok(near(found?.due.interest ?? 0n, units(row.interest)), `${id} interest ${row.n}`);
      t.ok(near(found?.balance ?? 0n, units(row.balance)), `${id} balance ${row.n}`);
    }
  }
  t.end();
});

function planned(terms: LoanTerms): LoanPosition {
  const disbursed = { id: 'out', date: '2024-01-01', kind: 'DISBURSED', amount: terms.principal } as const;
  return computeLoan(terms, [disbursed], disbursed.date);
}

test('a fixed amount until the loan is repaid', (t) => {
  const cases = lendingCases<
    { principal: string; annual_rate_percent: string; instalment: string },
    { n: number; total_interest: string; total_payment: string }
  >('fixed_amount_until_repaid');
  t.ok(cases.length >= 1, 'the case is there');
  for (const { id, inputs, expected } of cases) {
    const terms: LoanTerms = {
      ...{ ...TERMS, principal: units(inputs.principal), annualRatePercent: inputs.annual_rate_percent },
      ...{ instalments: 600, instalmentAmount: units(inputs.instalment) },
    };
    const { instalments, scheduled } = planned(terms);
    t.equal(instalments.length, expected.n, `${id} instalments`);
    t.ok(near(scheduled.interest, units(expected.total_interest)), `${id} interest`);
    t.ok(near(scheduled.interest + scheduled.principal, units(expected.total_payment)), `${id} total`);
  }
  t.end();
});

test('life cycles: schedule, totals and transactions after each step', (t) => {
  const file = readFileSync(join(repositoryRoot, 'tests/reference/lending.json'), 'utf8');
  const { cases } = JSON.parse(file) as { cases: (LifecycleCase & { kind: string })[] };
  const lifecycles = cases.filter(({ kind }) => kind === 'loan_lifecycle_scenario');
  t.ok(lifecycles.length >= 75, 'the cases are there');
  const leftOut = new Map<string, number>();
  let [passed, compared] = [0, 0];
  for (const one of lifecycles) {
    const lifecycle = new Lifecycle(one);
    lifecycle.play();
    t.strictSame(lifecycle.differences, [], one.id);
    if (lifecycle.differences.length === 0) passed += 1;
    compared += lifecycle.compared;
    for (const why of lifecycle.leftOut) leftOut.set(why, (leftOut.get(why) ?? 0) + 1);
  }
  t.comment(`loan_lifecycle_scenario: ${passed} of ${lifecycles.length} passed, ${compared} values compared`);
  for (const [why, count] of leftOut) t.comment(`left out in ${count}: ${why}`);
  t.ok(compared > 10_000, 'nearly everything was compared');
  t.end();
});
