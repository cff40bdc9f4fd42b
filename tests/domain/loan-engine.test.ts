/** What the cases from outside do not cover: each way of repaying, and what may happen to a loan, with figures worked out by hand. */
import { test } from 'tap';
import { computeLoan, payoffQuote } from '../../domain/loan/compute.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import type { LoanPosition } from '../../domain/loan/position.js';
import { BUCKETS, type ByBucket, DEFAULT_ALLOCATION, type LoanTerms } from '../../domain/loan/terms.js';

const START = '2024-01-01';
/** 1,200.00 at 12 % over 6 months, a month a twelfth of a year. */
const TERMS: LoanTerms = {
  currency: 'NGN',
  principal: 120_000n,
  annualRatePercent: '12',
  schedule: 'EQUAL_PRINCIPAL',
  instalments: 6,
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

type Draft = LoanOperation extends infer One ? (One extends LoanOperation ? Omit<One, 'id'> : never) : never;

function operationsOf(terms: LoanTerms, drafts: readonly Draft[]): LoanOperation[] {
  const out: LoanOperation = { id: 'out', date: START, kind: 'DISBURSED', amount: terms.principal };
  return [out, ...drafts.map((draft, index) => ({ id: `op-${index + 1}`, ...draft }) as LoanOperation)];
}

function loanOn(asOf: string, terms: Partial<LoanTerms>, ...drafts: Draft[]): LoanPosition {
  const all = { ...TERMS, ...terms };
  return computeLoan(all, operationsOf(all, drafts), asOf);
}

function repaid(date: string, amount: bigint): Draft {
  return { kind: 'REPAID', date, amount, method: 'BANK_TRANSFER' };
}

/** Principal and interest of each instalment. */
function rows({ instalments }: LoanPosition): [bigint, bigint][] {
  return instalments.map(({ due }) => [due.principal, due.interest]);
}
function amounts(principal: bigint, interest = 0n, fees = 0n, penalty = 0n): ByBucket {
  return { principal, interest, fees, penalty };
}
function sum(by: ByBucket): bigint {
  return BUCKETS.reduce((all, bucket) => all + by[bucket], 0n);
}

test('ways of repaying', (t) => {
  const of = (terms: Partial<LoanTerms>): [bigint, bigint][] => rows(loanOn(START, terms));
  t.strictSame(of({}), [[20_000n, 1_200n], [20_000n, 1_000n], [20_000n, 800n], [20_000n, 600n], [20_000n, 400n], [20_000n, 200n]], 'equal principal'); // prettier-ignore
  t.strictSame(of({ schedule: 'FLAT' }), Array(6).fill([20_000n, 1_200n]), 'flat');
  t.strictSame(of({ schedule: 'INTEREST_ONLY', instalments: 3 }), [[0n, 1_200n], [0n, 1_200n], [120_000n, 1_200n]], 'interest only'); // prettier-ignore
  t.strictSame(of({ schedule: 'BULLET' }), [[120_000n, 7_200n]], 'bullet: one instalment, interest of all periods');
  // 0.01 * (120,000 - 100,000 / 1.01) / (1 - 1 / 1.01) = 21,200: nothing left but the balloon after one period.
  t.strictSame(of({ schedule: 'BALLOON', instalments: 2, balloon: 100_000n }), [[20_000n, 1_200n], [100_000n, 1_000n]], 'balloon'); // prettier-ignore
  const down = loanOn(START, { downPaymentPercent: '25', instalments: 3 });
  t.strictSame(down.instalments.map(({ number, kind }) => `${number} ${kind}`), ['0 DOWN_PAYMENT', '1 REGULAR', '2 REGULAR', '3 REGULAR'], 'down payment'); // prettier-ignore
  t.strictSame(
    rows(down),
    [
      [30_000n, 0n],
      [30_000n, 900n],
      [30_000n, 600n],
      [30_000n, 300n],
    ],
    'it bears no interest',
  );
  t.strictSame(of({ interestFreePeriods: 2 }).map(([, interest]) => interest), [0n, 0n, 800n, 600n, 400n, 200n], 'interest-free periods'); // prettier-ignore
  t.strictSame(of({ graceOnPrincipal: 2 })[2], [30_000n, 1_200n], 'grace on principal');
  const thirds = of({ schedule: 'EQUAL_INSTALMENTS', annualRatePercent: '0', instalments: 7 });
  t.strictSame(thirds.map(([principal]) => principal), [17_143n, 17_143n, 17_143n, 17_143n, 17_143n, 17_143n, 17_142n], 'the last instalment takes what rounding leaves'); // prettier-ignore
  t.end();
});

test('grace on interest: it is asked for with the first instalment after it, within the level (Apache Fineract’s figures)', (t) => {
  const schedule = {
    schedule: 'EQUAL_INSTALMENTS',
    principal: 10_000n,
    annualRatePercent: '7',
    graceOnInterest: 2,
  } as const;
  t.strictSame(rows(loanOn(START, schedule)).slice(0, 4), [[1_701n, 0n], [1_701n, 0n], [1_557n, 144n], [1_672n, 29n]]); // prettier-ignore
  t.end();
});

test('day counts and frequencies', (t) => {
  const interest = (terms: Partial<LoanTerms>): bigint => rows(loanOn(START, { interestBy: 'DAILY', instalments: 2, ...terms }))[0]?.[1] ?? 0n; // prettier-ignore
  t.equal(interest({ dayCount: 'ACT/365' }), 1_223n, '31 days of 365: 1,223.01');
  t.equal(interest({ dayCount: 'ACT/360' }), 1_240n, '31 days of 360');
  t.equal(interest({ dayCount: 'ACT/ACT' }), 1_220n, '31 days of 366: 1,219.67');
  t.equal(interest({ dayCount: '30/360' }), 1_200n, '30 days of 360');
  const weekly = loanOn(START, { frequency: { every: 2, unit: 'WEEKS' }, instalments: 2 });
  t.strictSame(
    weekly.instalments.map(({ dueDate }) => dueDate),
    ['2024-01-15', '2024-01-29'],
    'every two weeks',
  );
  t.equal(rows(weekly)[0]?.[1], 554n, 'two weeks of 52: 553.85');
  const first = loanOn(START, { firstDueDate: '2024-02-15', dayCount: 'ACT/365', instalments: 2 });
  t.strictSame(
    first.instalments.map(({ dueDate }) => dueDate),
    ['2024-02-15', '2024-03-15'],
    'agreed first due date',
  );
  t.strictSame(
    rows(first).map(([, one]) => one),
    [1_775n, 600n],
    'a longer first period by its 45 days, then a twelfth',
  );
  t.end();
});

test('fees of instalments', (t) => {
  const fixed = { name: 'service', when: 'INSTALMENT', kind: 'FIXED', amount: 150n } as const;
  const share = { name: 'insurance', when: 'INSTALMENT', kind: 'PERCENT', percent: '1.5' } as const;
  const upfront = { name: 'setup', when: 'UPFRONT', kind: 'FIXED', amount: 9_000n } as const;
  const { instalments, outstanding } = loanOn(START, { fees: [fixed, share, upfront] });
  t.equal(instalments[0]?.due.fees, 150n + 318n, 'fixed and 1.5 % of 21,200');
  t.equal(outstanding.fees, 0n, 'none is owed before its instalment is due');
  t.equal(loanOn('2024-02-01', { fees: [fixed] }).outstanding.fees, 150n);
  t.end();
});

test('what is owed on a day, and how late it is', (t) => {
  const on = (day: string, ...drafts: Draft[]): LoanPosition => loanOn(day, {}, ...drafts);
  t.strictSame(on(START).outstanding, amounts(120_000n));
  t.strictSame(on('2024-01-16').outstanding, amounts(120_000n, 581n), '15 of 31 days of 1,200');
  t.strictSame(on('2024-02-01').outstanding, amounts(120_000n, 1_200n));
  t.equal(on('2024-02-01').status, 'ACTIVE', 'due is not late');
  const late = on('2024-02-11');
  t.match(late, { status: 'IN_ARREARS', daysOverdue: 10, oldestOverdueDate: '2024-02-01', nextDueDate: '2024-03-01' });
  t.strictSame(late.overdue, amounts(20_000n, 1_200n));
  const partly = on('2024-02-11', repaid('2024-02-05', 5_000n));
  t.strictSame(partly.overdue, amounts(16_200n), 'interest first, then principal');
  t.equal(partly.instalments[0]?.paidLate, 5_000n);
  const { status, overpaid } = on('2024-03-01', repaid('2024-02-20', 200_000n));
  t.strictSame([status, overpaid], ['OVERPAID', 200_000n - 124_200n], 'over-paid: interest as it was agreed');
  t.equal(computeLoan(TERMS, [], START).status, 'PENDING_DISBURSEMENT');
  t.end();
});

test('payments in advance: where they go', (t) => {
  const early = repaid('2024-02-01', 21_200n + 10_000n);
  const paid = (prepayment: LoanTerms['prepayment']): bigint[] =>
    loanOn('2024-02-01', { prepayment }, early)
      .instalments.slice(1)
      .map(({ paid: one }) => sum(one));
  t.strictSame(paid('NEXT_INSTALMENT'), [10_000n, 0n, 0n, 0n, 0n]);
  t.strictSame(paid('SHORTEN'), [0n, 0n, 0n, 0n, 10_000n]);
  t.strictSame(paid('REDUCE'), [2_000n, 2_000n, 2_000n, 2_000n, 2_000n]);
  const anew = loanOn('2024-02-01', { prepayment: 'REAMORTISE' }, early);
  t.strictSame(rows(anew), [[30_000n, 1_200n], [18_000n, 900n], [18_000n, 720n], [18_000n, 540n], [18_000n, 360n], [18_000n, 180n]], 'the schedule is new'); // prettier-ignore
  t.end();
});

test('interest follows what is outstanding', (t) => {
  const daily = { recalculates: true, interestBy: 'DAILY', dayCount: 'ACT/360' } as const;
  // 10 days of 400 each are borne; the rest of the money is principal; what is left bears 21 days at 340 and 29 days at 266.67.
  const early = loanOn('2024-01-11', daily, repaid('2024-01-11', 22_000n));
  t.match(early.transactions[1], { portions: { principal: 21_600n, interest: 400n } });
  t.strictSame(early.outstanding, amounts(98_400n));
  t.equal(early.instalments[0]?.paidDate, '2024-01-11', 'the first instalment is settled by 20,400 of it');
  const late = loanOn('2024-02-11', daily);
  t.strictSame(rows(late).slice(0, 2), [[20_000n, 1_240n], [20_000n, 1_033n]], 'late: 10 days on 120,000, then 19 on 100,000'); // prettier-ignore
  const quote = payoffQuote({ ...TERMS, ...daily }, operationsOf(TERMS, []), '2024-01-21');
  t.strictSame(quote, amounts(120_000n, 800n), 'a payoff asks for the interest of 20 days');
  const fixed = payoffQuote(TERMS, operationsOf(TERMS, []), '2024-01-21');
  t.strictSame(fixed, amounts(120_000n, 4_200n), 'where it does not follow, for all that was agreed');
  const settled = loanOn('2024-12-31', daily, repaid('2024-01-21', 120_800n));
  t.match(settled, { status: 'PAID_OFF', overpaid: 0n, daysOverdue: 0, nextDueDate: null });
  t.end();
});

test('penalties', (t) => {
  const flat = { graceDays: 5, when: 'FLAT', kind: 'PERCENT', percent: '2' } as const;
  const owed = (asOf: string, penalty: NonNullable<LoanTerms['penalty']>, ...drafts: Draft[]): bigint =>
    loanOn(asOf, { penalty }, ...drafts).outstanding.penalty;
  t.strictSame(['2024-02-06', '2024-02-07', '2024-02-20'].map((day) => owed(day, flat)), [0n, 424n, 424n], 'flat: 2 % of 21,200, once, after 5 days'); // prettier-ignore
  t.equal(owed('2024-02-20', flat, repaid('2024-02-06', 21_200n)), 0n, 'paid within the days of grace');
  const daily = { graceDays: 0, when: 'DAILY', kind: 'PERCENT', percent: '0.1' } as const;
  t.equal(owed('2024-02-11', daily), 212n, 'daily: ten days of 21.2');
  // After 5 days 106 of penalty are paid, then interest and 9,894 of principal: 15 days of 11.306 are left.
  t.equal(owed('2024-02-21', daily, repaid('2024-02-06', 10_000n)), 226n - 56n, 'on what is left of the arrears');
  t.equal(owed('2024-02-21', { ...daily, cap: 300n }), 300n, 'up to the cap');
  const fixed = { graceDays: 3, when: 'DAILY', kind: 'FIXED', amount: 50n } as const;
  t.equal(owed('2024-02-10', fixed), 300n, 'six days after three of grace');
  t.end();
});

test('charges and waivers', (t) => {
  const charged: Draft = {
    kind: 'CHARGED',
    date: '2024-01-10',
    bucket: 'fees',
    amount: 700n,
    due: '2024-01-20',
    type: 'LETTER',
  };
  const on = (asOf: string, ...drafts: Draft[]): LoanPosition => loanOn(asOf, {}, charged, ...drafts);
  t.equal(on('2024-01-10').instalments[0]?.due.fees, 700n, 'in the instalment of its day');
  t.strictSame(
    [on('2024-01-19').outstanding.fees, on('2024-01-20').outstanding.fees],
    [0n, 700n],
    'owed from its day on',
  );
  const waived = on('2024-01-25', { kind: 'WAIVED', date: '2024-01-25', bucket: 'fees', amount: 900n });
  t.strictSame([waived.outstanding.fees, waived.waived.fees], [0n, 700n], 'never more than there is');
  const interest = on('2024-02-15', { kind: 'WAIVED', date: '2024-02-05', bucket: 'interest', amount: 1_000n });
  t.match(interest.instalments[0], { due: { interest: 1_200n }, waived: { interest: 1_000n } });
  const behind = on('2024-08-01', {
    kind: 'CHARGED',
    date: '2024-07-20',
    bucket: 'penalty',
    amount: 50n,
    due: '2024-07-20',
    type: 'NSF',
  });
  t.match(behind.instalments.at(-1), { kind: 'ADDITIONAL', dueDate: '2024-07-20', due: { penalty: 50n } });
  t.end();
});

test('changes of a running loan', (t) => {
  const first = repaid('2024-02-01', 21_200n);
  const cheaper = loanOn('2024-02-01', {}, first, { kind: 'RATE_CHANGED', date: '2024-02-01', annualRatePercent: '6' });
  t.strictSame(
    rows(cheaper).map(([, interest]) => interest),
    [1_200n, 500n, 400n, 300n, 200n, 100n],
    'another rate',
  );
  const half = loanOn('2024-02-15', {}, first, { kind: 'RATE_CHANGED', date: '2024-02-15', annualRatePercent: '0' });
  t.equal(rows(half)[1]?.[1], 483n, 'from its day on: 14 of 29 days of 1,000');
  const longer = loanOn('2024-02-01', {}, first, {
    kind: 'RESCHEDULED',
    date: '2024-02-01',
    instalments: 10,
    firstDueDate: '2024-03-20',
  });
  t.equal(longer.instalments.length, 11, 'a new schedule for what is left');
  t.strictSame(longer.instalments.slice(1, 3).map(({ dueDate, due }) => [dueDate, due.principal]), [['2024-03-20', 10_000n], ['2024-04-20', 10_000n]]); // prettier-ignore
  const spread = loanOn('2024-03-05', {}, { kind: 'REAMORTISED', date: '2024-03-05' });
  t.strictSame(rows(spread).map(([principal]) => principal), [0n, 0n, 30_000n, 30_000n, 30_000n, 30_000n], 'arrears are spread over the rest'); // prettier-ignore
  t.strictSame(spread.overdue, amounts(0n, 2_200n), 'their interest stays due');
  t.end();
});

test('charge-backs, write-off, recovery, undoing', (t) => {
  const first = repaid('2024-02-01', 21_200n);
  const back = loanOn('2024-02-10', {}, first, { kind: 'CHARGED_BACK', date: '2024-02-10', amount: 21_200n });
  t.equal(back.instalments[1]?.due.principal, 41_200n, 'owed again as principal with the next instalment');
  const order = ['penalty', 'fees', 'interest', 'principal'] as const;
  const portions = { operation: 'op-1', order };
  const restored = loanOn('2024-02-10', {}, first, {
    kind: 'CHARGED_BACK',
    date: '2024-02-10',
    amount: 21_200n,
    restores: portions,
  });
  t.match(restored.instalments[1]?.due, { principal: 40_000n, interest: 2_200n }, 'or as what it had paid');
  t.equal(restored.paid.interest, 0n, 'which then is not paid');

  const lost = loanOn(
    '2024-06-01',
    {},
    first,
    { kind: 'WRITTEN_OFF', date: '2024-03-01' },
    { kind: 'RECOVERED', date: '2024-05-01', amount: 3_000n },
  );
  t.match(lost, { status: 'WRITTEN_OFF', recovered: 3_000n, daysOverdue: 0 });
  t.strictSame(
    [lost.writtenOff, lost.outstanding],
    [amounts(100_000n, 1_000n), amounts(0n)],
    'nothing accrues any more',
  );
  t.equal(loanOn('2024-06-01', {}, { kind: 'WRITTEN_OFF', date: '2024-03-01', stillOwed: true }).status, 'IN_ARREARS', 'marked only'); // prettier-ignore

  const later = repaid('2024-03-01', 21_000n);
  const kept = loanOn('2024-03-01', {}, first, later, { kind: 'UNDONE', date: '2024-03-01', operation: 'op-1' });
  t.strictSame(kept.overdue, amounts(20_200n, 1_000n), 'what came after pays the oldest instalment');
  t.equal(kept.instalments[0]?.paidLate, 21_000n);
  t.end();
});

test('several disbursements', (t) => {
  const second: Draft = { kind: 'DISBURSED', date: '2024-02-16', amount: 50_000n };
  const progressive = loanOn('2024-02-16', {}, repaid('2024-02-01', 21_200n), second);
  t.strictSame(rows(progressive)[1], [30_000n, 1_000n + 241n], 'interest from its day on: 14 of 29 days of 500');
  t.equal(progressive.scheduled.principal, 170_000n);
  const paidOff = loanOn('2024-02-16', {}, repaid('2024-01-05', 130_000n), second);
  t.match(paidOff.transactions.at(-1), {
    kind: 'OVERPAYMENT_USED',
    overpaid: -5_800n,
    portions: { principal: 5_559n, interest: 241n },
  });
  t.end();
});

test('what was recorded decides, not when or how often it is asked', (t) => {
  const operations = operationsOf(TERMS, [repaid('2024-03-01', 30_000n), repaid('2024-02-01', 10_000n)]);
  const before = structuredClone(operations);
  const once = computeLoan(TERMS, operations, '2024-04-01');
  t.strictSame(computeLoan(TERMS, [...operations].reverse(), '2024-04-01'), once, 'back-dated');
  t.strictSame(operations, before, 'its input stays as it is');
  t.equal(computeLoan(TERMS, operations, '2024-02-15').paid.principal, 8_800n, 'later operations are left out');
  t.end();
});
