/**
 * Loans of random terms with random things happening to them: nothing is lost or made, nothing is owed twice, a payoff
 * leaves nothing, and what is computed depends on what happened only. Interest has oracles of its own: present values of
 * schedules, and a day-by-day count of what was really outstanding.
 */
import fc from 'fast-check';
import tap, { test } from 'tap';
import { totalsOf } from '../../domain/loan/booked.js';
import { addDays, daysBetween } from '../../domain/loan/calendar.js';
import { computeLoan, payoffQuote } from '../../domain/loan/compute.js';
import { standing } from '../../domain/loan/operations-json.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import type { InstalmentPosition, LoanPosition } from '../../domain/loan/position.js';
import {
  BUCKETS,
  type Bucket,
  type ByBucket,
  DAY_COUNTS,
  type LoanTerms,
  PREPAYMENT_RULES,
  ROUNDING_MODES,
  SCHEDULE_TYPES,
  SCHEDULINGS,
} from '../../domain/loan/terms.js';
import { ExactDecimal } from '../../domain/shared/money.js';

tap.setTimeout(300_000);
const RUNS = Number(process.env['RUNS'] ?? 1_000);
const START = '2023-01-31';
/** All dates are within this many days. */
const SPAN = 500;

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const minor = (max: number) => fc.nat({ max }).map(BigInt);
const order = fc.shuffledSubarray<Bucket>([...BUCKETS], { minLength: 4, maxLength: 4 });
const fee = fc.record({
  name: fc.constant('fee'),
  when: fc.constantFrom('UPFRONT' as const, 'INSTALMENT' as const),
  kind: fc.constantFrom('FIXED' as const, 'PERCENT' as const),
  amount: minor(500),
  percent: fc.constantFrom('0.5', '1', '2.75'),
});
const penalty = fc.record({
  graceDays: fc.nat({ max: 10 }),
  when: fc.constantFrom('FLAT' as const, 'DAILY' as const),
  kind: fc.constantFrom('FIXED' as const, 'PERCENT' as const),
  amount: minor(300),
  percent: fc.constantFrom('0.05', '1', '5'),
  cap: fc.constantFrom(1_000n, 100_000n),
});
const terms = fc
  .record({
    currency: fc.constant('NGN'),
    principal: fc.integer({ min: 1, max: 5_000_000 }).map(BigInt),
    annualRatePercent: fc.constantFrom('0', '3.5', '12', '29.99', '120'),
    schedule: fc.constantFrom(...SCHEDULE_TYPES),
    instalments: fc.integer({ min: 1, max: 14 }),
    frequency: fc.record({ every: fc.integer({ min: 1, max: 3 }), unit: fc.constantFrom('DAYS' as const, 'WEEKS' as const, 'MONTHS' as const) }), // prettier-ignore
    dayCount: fc.constantFrom(...DAY_COUNTS),
    interestBy: fc.constantFrom('PERIOD' as const, 'DAILY' as const),
    recalculates: fc.boolean(),
    graceOnPrincipal: fc.constantFrom(0, 0, 0, 2),
    graceOnInterest: fc.constantFrom(0, 0, 0, 2),
    interestFreePeriods: fc.constantFrom(0, 0, 0, 1),
    rounding: fc.record({ multiple: fc.constantFrom(1n, 1n, 100n), mode: fc.constantFrom(...ROUNDING_MODES) }),
    balloon: optional(minor(100_000)),
    downPaymentPercent: optional(fc.constantFrom('10', '25')),
    fees: fc.array(fee, { maxLength: 2 }),
    penalty: optional(penalty),
    prepayment: fc.constantFrom(...PREPAYMENT_RULES),
    allocation: fc.record({
      walk: fc.constantFrom('BY_INSTALMENT' as const, 'BY_BUCKET' as const),
      due: order,
      inAdvance: order,
    }),
    scheduling: fc.constantFrom(...SCHEDULINGS),
    firstDueDate: optional(fc.integer({ min: 1, max: 50 }).map((days) => addDays(START, days))),
    startDate: optional(fc.integer({ min: -5, max: 0 }).map((days) => addDays(START, days))),
  })
  .map((all) => {
    const kept = Object.entries(all).filter(([, value]) => value !== undefined);
    const balloon = all.balloon === undefined || all.balloon > all.principal ? 0n : all.balloon;
    return { ...(Object.fromEntries(kept) as unknown as LoanTerms), balloon };
  });

type Draft = { readonly day: number } & Record<string, unknown>;
const day = fc.nat({ max: SPAN });
const on = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record({ day, ...fields });
const happening: fc.Arbitrary<Draft> = fc.oneof(
  {
    weight: 12,
    arbitrary: on({ kind: fc.constant('REPAID'), method: fc.constant('WALLET'), size: fc.nat({ max: 1_000 }) }),
  },
  { weight: 4, arbitrary: on({ kind: fc.constant('CREDITED'), type: fc.constantFrom('GOODWILL', 'REFUND'), size: fc.nat({ max: 300 }), prepayment: optional(fc.constantFrom(...PREPAYMENT_RULES)) }) }, // prettier-ignore
  { weight: 4, arbitrary: on({ kind: fc.constant('CHARGED'), bucket: fc.constantFrom('fees', 'penalty'), amount: minor(5_000), after: fc.nat({ max: 200 }), type: fc.constant('charge') }) }, // prettier-ignore
  { weight: 4, arbitrary: on({ kind: fc.constant('WAIVED'), bucket: fc.constantFrom('interest', 'fees', 'penalty'), amount: minor(20_000) }) }, // prettier-ignore
  {
    weight: 2,
    arbitrary: on({ kind: fc.constant('CHARGED_BACK'), size: fc.nat({ max: 200 }), restoring: fc.boolean() }),
  },
  { weight: 1, arbitrary: on({ kind: fc.constant('DISBURSED'), size: fc.integer({ min: 1, max: 500 }) }) },
  {
    weight: 2,
    arbitrary: on({ kind: fc.constant('RATE_CHANGED'), annualRatePercent: fc.constantFrom('0', '9', '45.5') }),
  },
  {
    weight: 1,
    arbitrary: on({ kind: fc.constant('PREPAYMENT_RULE_SET'), rule: fc.constantFrom(...PREPAYMENT_RULES) }),
  },
  { weight: 1, arbitrary: on({ kind: fc.constant('REAMORTISED') }) },
  { weight: 1, arbitrary: on({ kind: fc.constant('REAGED'), instalments: fc.integer({ min: 1, max: 6 }), frequency: fc.constant({ every: 1, unit: 'MONTHS' }), after: fc.integer({ min: 1, max: 40 }) }) }, // prettier-ignore
  { weight: 1, arbitrary: on({ kind: fc.constant('RESCHEDULED'), instalments: optional(fc.integer({ min: 1, max: 6 })), annualRatePercent: optional(fc.constantFrom('5', '20')) }) }, // prettier-ignore
  { weight: 5, arbitrary: on({ kind: fc.constant('UNDONE'), which: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: on({ kind: fc.constant('WRITTEN_OFF') }) },
  { weight: 1, arbitrary: on({ kind: fc.constant('RECOVERED'), amount: minor(10_000) }) },
);
const life = fc.record({
  terms,
  happenings: fc.array(happening, { maxLength: 14, size: 'max' }),
  after: fc.nat({ max: 60 }),
});

/** Operations of drafts, by what they are about: amounts as thousandths of the loan, dates by days, undone by number. */
function operationsOf({ principal }: LoanTerms, drafts: readonly Draft[]): LoanOperation[] {
  const operations: LoanOperation[] = [{ id: 'out', date: START, kind: 'DISBURSED', amount: principal }];
  for (const [index, { day: days, size, after, which, restoring, ...rest }] of drafts.entries()) {
    const date = addDays(START, days);
    const fields: Record<string, unknown> = { id: `op-${index}`, date };
    for (const [name, value] of Object.entries(rest)) if (value !== undefined) fields[name] = value;
    if (size !== undefined) fields['amount'] = (principal * BigInt(size as number)) / 1000n + 1n;
    if (rest['kind'] === 'CHARGED') fields['due'] = addDays(date, after as number);
    if (rest['kind'] === 'REAGED') fields['firstDueDate'] = addDays(date, after as number);
    const targets = operations.filter(({ kind }) => kind !== 'UNDONE' && kind !== 'DISBURSED');
    const target = targets[(which as number) % Math.max(1, targets.length)];
    if (rest['kind'] === 'UNDONE') {
      if (target === undefined) continue;
      fields['operation'] = target.id;
    }
    const repaid = operations.find(({ kind }) => kind === 'REPAID');
    if (restoring === true && repaid !== undefined) {
      fields['restores'] = { operation: repaid.id, order: ['penalty', 'fees', 'interest', 'principal'] };
    }
    operations.push(fields as unknown as LoanOperation);
  }
  return operations;
}

const PLAIN: LoanTerms = {
  currency: 'NGN',
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
  allocation: { walk: 'BY_INSTALMENT', due: ['penalty', 'fees', 'interest', 'principal'], inAdvance: ['penalty', 'fees', 'interest', 'principal'] }, // prettier-ignore
};

function out(amount: bigint): LoanOperation {
  return { id: 'out', date: START, kind: 'DISBURSED', amount };
}

const sum = (amounts: ByBucket): bigint => BUCKETS.reduce((all, bucket) => all + amounts[bucket], 0n);
const total = <T>(items: readonly T[], of: (item: T) => bigint): bigint =>
  items.reduce((all, item) => all + of(item), 0n);
const left = ({ due, paid, waived }: InstalmentPosition, bucket: Bucket): bigint =>
  due[bucket] - paid[bucket] - waived[bucket];

function conserves(loan: LoanTerms, operations: readonly LoanOperation[], position: LoanPosition, asOf: string): void {
  const effective = standing(operations).filter(({ date }) => date <= asOf);
  const { instalments, transactions } = position;
  const disbursed = total(effective, (one) => (one.kind === 'DISBURSED' ? one.amount : 0n));
  const isLost = position.status === 'WRITTEN_OFF';
  const of = (kind: string, bucket: Bucket): bigint =>
    total(transactions, (one) => (one.kind === kind ? one.portions[bucket] : 0n));
  const again = of('CHARGED_BACK', 'principal');
  if (!isLost) is(position.scheduled.principal, disbursed + again, 'all principal is scheduled');
  for (const { due, paid, waived, number } of instalments) {
    for (const bucket of BUCKETS) {
      if (due[bucket] < 0n || paid[bucket] < 0n || waived[bucket] < 0n)
        throw new Error(`${number} ${bucket} is negative`);
      if (paid[bucket] + waived[bucket] > due[bucket]) throw new Error(`${number}: more ${bucket} paid than due`);
    }
  }
  for (const { kind, amount, portions, overpaid, operation } of transactions) {
    if (kind !== 'WAIVED' && kind !== 'DISBURSED' && kind !== 'RECOVERED') {
      is(sum(portions) + (kind === 'CHARGED_BACK' ? -overpaid : overpaid), amount, `portions of ${kind} ${operation}`);
    }
  }
  for (const bucket of BUCKETS) {
    const portions = of('REPAID', bucket) + of('CREDITED', bucket) + of('OVERPAYMENT_USED', bucket);
    is(
      portions,
      total(instalments, ({ paid }) => paid[bucket]),
      `${bucket} paid into instalments`,
    );
    if (position.outstanding[bucket] < 0n || position.overdue[bucket] < 0n) throw new Error(`${bucket} is negative`);
  }
  is(
    total(transactions, ({ overpaid }) => overpaid),
    position.overpaid,
    'over-payments',
  );
  const given = total(transactions, (one) => (one.kind === 'WAIVED' ? sum(one.portions) : 0n));
  is(given, sum(position.waived), 'waived');
  if (!isLost) {
    is(position.outstanding.principal, disbursed + again - position.paid.principal, 'principal outstanding');
    is(
      total(instalments, (one) => left(one, 'principal')),
      position.outstanding.principal,
      'principal left in instalments',
    );
  }
  totalsOf(loan, effective, position);
}

function is(found: bigint, expected: bigint, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}`);
}

/** Passes where the property holds for all runs; else shows the smallest case that breaks it. */
function holds<T>(
  t: { pass: (text: string) => unknown; end: () => void },
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void,
): void {
  fc.assert(
    fc.property(arbitrary, (value) => {
      check(value);
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.pass(`${RUNS} runs`);
  t.end();
}

test('nothing is lost, made or owed twice, on any day of any loan', (t) => {
  holds(t, life, ({ terms: loan, happenings, after }) => {
    const operations = operationsOf(loan, happenings);
    for (const asOf of [START, addDays(START, after), addDays(START, 250), addDays(START, SPAN + after)]) {
      conserves(loan, operations, computeLoan(loan, operations, asOf), asOf);
    }
  });
});

test('a payoff at its quote leaves nothing', (t) => {
  holds(t, life, ({ terms: loan, happenings, after }) => {
    const operations = operationsOf(loan, happenings);
    const last = operations.reduce((latest, { date }) => (date > latest ? date : latest), START);
    const date = addDays(last, after);
    const quote = payoffQuote(loan, operations, date);
    const before = computeLoan(loan, operations, date);
    if (before.status === 'WRITTEN_OFF') {
      is(sum(quote), 0n, 'quote of a lost loan');
      return;
    }
    const payoff = { id: 'payoff', date, kind: 'REPAID', amount: sum(quote), method: 'WALLET' } as const;
    const paid = sum(quote) === 0n ? operations : [...operations, payoff];
    for (const later of [date, addDays(date, 400)]) {
      const position = computeLoan(loan, paid, later);
      is(sum(position.outstanding), 0n, 'outstanding');
      is(position.overpaid, before.overpaid, 'overpaid');
      for (const one of position.instalments)
        for (const bucket of BUCKETS) is(left(one, bucket), 0n, `${bucket} of ${one.number}`);
      if (position.status !== 'PAID_OFF' && position.status !== 'OVERPAID') throw new Error(position.status);
      conserves(loan, paid, position, later);
    }
    if (sum(quote) === 0n) return;
    const less = computeLoan(loan, [...operations, { ...payoff, amount: sum(quote) - 1n }], date);
    if (less.status === 'PAID_OFF') throw new Error('one minor unit less settles it too');
  });
});

test('the order of recording does not matter for different days, and undoing is as if it never was', (t) => {
  const input = fc.record({ life, seed: fc.array(fc.nat(), { minLength: 20, maxLength: 20 }) });
  holds(t, input, ({ life: { terms: loan, happenings }, seed }) => {
    const unique = [...new Map(happenings.map((one) => [one.day, one])).values()].filter(({ day: days }) => days > 0);
    const operations = operationsOf(loan, unique);
    const end = addDays(START, SPAN + 30);
    const shuffled = operations
      .map((operation, index) => ({ operation, place: seed[index] ?? index }))
      .sort((a, b) => a.place - b.place)
      .map(({ operation }) => operation);
    const position = computeLoan(loan, operations, end);
    same(computeLoan(loan, shuffled, end), position, 'shuffled');
    same(computeLoan(loan, [...standing(operations)], end), position, 'without what was undone');
  });
});

function same(found: LoanPosition, expected: LoanPosition, what: string): void {
  const text = (value: LoanPosition): string =>
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
  if (text(found) !== text(expected)) throw new Error(`${what} differs:\n${text(found)}\n${text(expected)}`);
}

test('oracle: a level schedule is worth its principal at its own rate', (t) => {
  const input = fc.record({
    principal: fc.integer({ min: 10_000, max: 100_000_000 }).map(BigInt),
    rate: fc.constantFrom('0', '1.25', '7', '36', '150'),
    instalments: fc.integer({ min: 2, max: 60 }),
    schedule: fc.constantFrom('EQUAL_INSTALMENTS' as const, 'EQUAL_PRINCIPAL' as const, 'BALLOON' as const, 'INTEREST_ONLY' as const), // prettier-ignore
    balloon: fc.integer({ min: 0, max: 10_000 }).map(BigInt),
  });
  holds(t, input, ({ principal, rate, instalments, schedule, balloon }) => {
    const loan: LoanTerms = { ...PLAIN, principal, annualRatePercent: rate, instalments, schedule, balloon };
    const { instalments: rows } = computeLoan(loan, [out(principal)], START);
    const monthly = new ExactDecimal(rate).div(1200).plus(1);
    const worth = rows.reduce(
      (all, { due }, index) => all.plus(new ExactDecimal(sum(due).toString()).div(monthly.pow(index + 1))),
      new ExactDecimal(0),
    );
    // Each instalment rounds its interest once, and the first n-1 their level once.
    if (worth.minus(principal.toString()).abs().gt(instalments)) throw new Error(`worth ${worth.toFixed(4)}`);
    if (schedule === 'BALLOON') is(rows.at(-1)?.due.principal ?? 0n, balloon, 'balloon');
    if (schedule !== 'EQUAL_INSTALMENTS') return;
    const levels = rows.slice(0, -1).flatMap(({ due, balance }) => (balance > 0n ? [sum(due)] : []));
    if (new Set(levels).size > 1) throw new Error(`levels differ: ${levels.join(' ')}`);
  });
});

test('oracle: interest of a recalculating loan is what its days bear on what was really outstanding', (t) => {
  const input = fc.record({
    principal: fc.integer({ min: 100_000, max: 10_000_000 }).map(BigInt),
    instalments: fc.integer({ min: 1, max: 12 }),
    schedule: fc.constantFrom('EQUAL_INSTALMENTS' as const, 'EQUAL_PRINCIPAL' as const, 'INTEREST_ONLY' as const, 'BULLET' as const), // prettier-ignore
    prepayment: fc.constantFrom(...PREPAYMENT_RULES),
    scheduling: fc.constantFrom(...SCHEDULINGS),
    graceOnInterest: fc.constantFrom(0, 2),
    payments: fc.array(fc.record({ day: fc.integer({ min: 0, max: 360 }), size: fc.integer({ min: 1, max: 400 }) }), {
      maxLength: 12,
    }),
    end: fc.nat({ max: 400 }),
  });
  holds(t, input, ({ principal, payments, end, ...rest }) => {
    const loan: LoanTerms = { ...PLAIN, ...rest, principal, annualRatePercent: '36.5', dayCount: 'ACT/365', interestBy: 'DAILY', recalculates: true }; // prettier-ignore
    const operations: LoanOperation[] = [out(principal)];
    for (const [index, { day: days, size }] of payments.entries()) {
      const amount = (principal * BigInt(size)) / 1000n;
      operations.push({ id: `pay-${index}`, date: addDays(START, days), kind: 'REPAID', amount, method: 'CARD' });
    }
    const last = operations.reduce((latest, { date }) => (date > latest ? date : latest), START);
    const date = addDays(last, end);
    const amount = sum(payoffQuote(loan, operations, date));
    const settled = [...operations, { id: 'payoff', date, kind: 'REPAID', amount, method: 'CARD' } as const];
    const { transactions, paid, maturityDate, overpaid } = computeLoan(loan, settled, date);
    // 36.5 % a year is a thousandth a day.
    let [balance, thousandths] = [0n, 0n];
    const over = maturityDate ?? date;
    for (let days = 0; days <= daysBetween(START, date) && days < daysBetween(START, over); days += 1) {
      const today = addDays(START, days);
      for (const one of transactions) {
        if (one.date === today) balance += one.kind === 'DISBURSED' ? one.amount : -one.portions.principal;
      }
      if (days < daysBetween(START, date)) thousandths += balance;
    }
    const exact = new ExactDecimal(thousandths.toString()).div(1000);
    const stretches = transactions.length + rest.instalments + 1;
    const gap = new ExactDecimal(paid.interest.toString()).minus(exact).abs();
    if (gap.gt(stretches))
      throw new Error(`interest ${paid.interest}, by days ${exact.toFixed(3)}, overpaid ${overpaid}`);
  });
});
