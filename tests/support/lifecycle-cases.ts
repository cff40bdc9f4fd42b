/**
 * Whole loan life cycles of `tests/reference/lending.json` (restated from Apache Fineract's end-to-end features) as terms
 * and operations. What a setting of the source means is told by the words in the product's name, never by the case.
 */
import { computeLoan } from '../../domain/loan/compute.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import type { LoanPosition, LoanTransaction } from '../../domain/loan/position.js';
import type { Bucket, Frequency, LoanTerms, PrepaymentRule } from '../../domain/loan/terms.js';

type Text = Readonly<Record<string, string | null>>;
export interface LifecycleCase {
  readonly id: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly steps_and_expectations: readonly Readonly<Record<string, unknown>>[];
}

/** Decimal text of a currency of two decimals in minor units. */
export function cents(text: string | null | undefined): bigint {
  const [whole = '0', fraction = ''] = (text ?? '').split('.');
  return BigInt((whole === '' ? '0' : whole) + fraction.padEnd(2, '0').slice(0, 2));
}

const FREQUENCY_UNITS = { DAYS: 'DAYS', WEEKS: 'WEEKS', MONTHS: 'MONTHS', YEARS: 'YEARS' } as const;
function frequencyOf(text: string): Frequency {
  const [every = '1', unit = 'MONTHS'] = text.split(' ');
  return { every: Number.parseInt(every, 10), unit: FREQUENCY_UNITS[unit as keyof typeof FREQUENCY_UNITS] };
}

const WORDS: Readonly<Record<string, Bucket>> = {
  PENALTIES: 'penalty',
  PENALTY: 'penalty',
  FEES: 'fees',
  FEE: 'fees',
  INTEREST: 'interest',
  PRINCIPAL: 'principal',
};
const bucketsIn = (text: string): Bucket[] =>
  text.split('_').flatMap((word) => {
    const bucket = WORDS[word];
    return bucket === undefined ? [] : [bucket];
  });

const RULES: Readonly<Record<string, PrepaymentRule>> = {
  NEXT_INSTALLMENT: 'NEXT_INSTALMENT',
  LAST_INSTALLMENT: 'SHORTEN',
  REAMORTIZATION: 'REDUCE',
};
/** Of the source's products with advanced payment allocation. */
const RULE_OF_CREDIT: Readonly<Record<string, PrepaymentRule>> = {
  GOODWILL_CREDIT: 'SHORTEN',
  MERCHANT_ISSUED_REFUND: 'REDUCE',
  PAYOUT_REFUND: 'NEXT_INSTALMENT',
};
/** The source's down payments are a quarter, its overdue charge is 1.5 % of the amount and its interest. */
const DOWN_PAYMENT_PERCENT = '25';
const OVERDUE_PERCENT = '1.5';
/** Days of the source's delinquency buckets that are not counted. */
const DELINQUENCY_GRACE_DAYS = 3;

function allocationOf(strategy: string, product: string, recalculates: boolean): LoanTerms['allocation'] {
  if (strategy === 'ADVANCED_PAYMENT_ALLOCATION') {
    const order = ['penalty', 'fees', 'principal', 'interest'] as const;
    const walk = product.includes('VERTICAL') ? 'BY_BUCKET' : 'BY_INSTALMENT';
    return { walk, due: order, inAdvance: order };
  }
  const [due = '', inAdvance = due] = strategy.split('_IN_ADVANCE_');
  const early = bucketsIn(inAdvance);
  return {
    walk: 'BY_INSTALMENT',
    due: bucketsIn(due),
    // Where interest is recalculated, the source's older strategies put what comes early on principal.
    inAdvance: recalculates ? ['penalty', 'fees', 'principal', 'interest'] : early,
  };
}

export function termsOf(inputs: LifecycleCase['inputs'], rule: PrepaymentRule | undefined): LoanTerms {
  const input = (name: string): string => inputs[name] ?? '';
  const product = input('product');
  const strategy = input('allocation_strategy');
  const isAdvanced = strategy === 'ADVANCED_PAYMENT_ALLOCATION';
  const isFlat = input('interest_type') === 'FLAT';
  const isEqualPrincipal = input('amortisation') === 'EQUAL_PRINCIPAL_PAYMENTS';
  const is30 = product.includes('360_30') || input('interest_calc_period') === 'SAME_AS_REPAYMENT_PERIOD';
  const recalculates = product.includes('RECALCULATION');
  const inCents = product.includes('360_30') || /PROG(?:RESSIVE)?_/.test(product) || (isEqualPrincipal && !isFlat);
  return {
    currency: 'EUR',
    principal: cents(input('principal')),
    annualRatePercent: input('annual_rate_percent'),
    schedule: isFlat ? 'FLAT' : isEqualPrincipal ? 'EQUAL_PRINCIPAL' : 'EQUAL_INSTALMENTS',
    instalments: Number.parseInt(input('n'), 10),
    frequency: frequencyOf(input('repay_every')),
    dayCount: is30 ? '30/360' : 'ACT/ACT',
    interestBy: is30 ? 'PERIOD' : 'DAILY',
    recalculates,
    graceOnPrincipal: Number.parseInt(input('grace_principal'), 10),
    // The source's harness sends its third grace column, named for interest-free periods, as the grace on interest payment,
    // over the second one; its expected tables say so too.
    graceOnInterest: Number.parseInt(input('interest_free'), 10),
    interestFreePeriods: 0,
    rounding: { multiple: inCents ? 1n : 100n, mode: 'HALF_EVEN' },
    fees: [],
    prepayment:
      rule !== undefined && isAdvanced ? rule : recalculates && !isAdvanced ? 'REAMORTISE' : 'NEXT_INSTALMENT',
    allocation: allocationOf(strategy, product, recalculates && !isAdvanced),
    scheduling: isAdvanced ? 'PROGRESSIVE' : 'CUMULATIVE',
    ...(product.includes('DOWNPAYMENT') ? { downPaymentPercent: DOWN_PAYMENT_PERCENT } : {}),
    ...(product.includes('OVERDUE_FROM_AMOUNT_INTEREST')
      ? { penalty: { graceDays: 0, when: 'FLAT', kind: 'PERCENT', percent: OVERDUE_PERCENT } as const }
      : {}),
  };
}

interface Row extends LoanTransaction {
  readonly reverted: boolean;
  readonly label: string;
}

/** Plays a case and compares everything that it expects; the differences in words. */
export class Lifecycle {
  readonly differences: string[] = [];
  /** Values that were compared. */
  compared = 0;
  /** What was left out of a comparison, by the rule why. */
  readonly leftOut = new Set<string>();
  private readonly operations: LoanOperation[] = [];
  private readonly undone = new Map<string, Row>();
  private terms: LoanTerms;
  private rule: PrepaymentRule | undefined;
  private isCreated = false;
  private today: string;
  private planned: string;

  constructor(private readonly theCase: LifecycleCase) {
    this.terms = termsOf(theCase.inputs, undefined);
    this.today = this.planned = isoDate(theCase.inputs['submitted'] ?? '');
  }

  play(): void {
    for (const [index, step] of this.theCase.steps_and_expectations.entries()) {
      if ('op' in step) this.operate(step as Text);
      else this.expect(step, `step ${index}`);
    }
  }

  private position(): LoanPosition {
    if (this.operations.some(({ kind }) => kind === 'DISBURSED')) {
      return computeLoan(this.terms, this.operations, this.today);
    }
    const disbursed = { id: 'plan', date: this.planned, kind: 'DISBURSED', amount: this.terms.principal } as const;
    return computeLoan(this.terms, [disbursed], this.planned);
  }

  private add(operation: LoanOperationDraft): string {
    const id = `op-${this.operations.length + 1}`;
    this.operations.push({ id, ...operation } as LoanOperation);
    return id;
  }

  private operate(step: Text): void {
    const date = step['date'] ?? this.today;
    const amount = cents(step['amount']);
    switch (step['op']) {
      case 'set_business_date':
        this.today = date;
        return;
      case 'set_future_installment_allocation':
        // A setting of the source's product: loans that exist keep theirs.
        if (this.isCreated) return;
        this.rule = RULES[step['rule'] ?? ''];
        this.terms = termsOf(this.theCase.inputs, this.rule);
        return;
      case 'approve':
        this.isCreated = true;
        this.planned = date;
        return;
      case 'disburse':
        this.isCreated = true;
        this.disburse(date, amount);
        return;
      case 'repay': {
        const isDown = step['type'] === 'DOWN_PAYMENT';
        this.add({
          kind: 'REPAID',
          date,
          amount,
          method: step['type'] ?? '',
          ...(isDown ? { isDownPayment: true } : {}),
        });
        return;
      }
      case 'credit':
        this.credit(date, amount, step['type'] ?? '');
        return;
      case 'charge': {
        const bucket = step['type'] === 'LOAN_NSF_FEE' ? 'penalty' : 'fees';
        this.add({
          kind: 'CHARGED',
          date: this.today,
          bucket,
          amount,
          due: step['due'] ?? date,
          type: step['type'] ?? '',
        });
        return;
      }
      case 'chargeback':
        this.chargeBack(date, amount);
        return;
      case 'undo':
        this.undo(date, Number.parseInt(step['nth'] ?? '1', 10));
        return;
      case 're_amortize':
        this.add({ kind: 'REAMORTISED', date });
        return;
      case 're_age':
        this.add({
          ...{ kind: 'REAGED', date, instalments: Number.parseInt(step['numberOfInstallments'] ?? '1', 10) },
          frequency: frequencyOf(`${step['frequencyNumber'] ?? '1'} ${step['frequencyType'] ?? 'MONTHS'}`),
          firstDueDate: step['startDate'] ?? date,
        });
        return;
      case 'charge_off':
        this.add({ kind: 'WRITTEN_OFF', date, stillOwed: true });
        return;
      default:
        this.differences.push(`unknown operation ${step['op']}`);
    }
  }

  /** Where the product takes down payments by itself, they are paid at once, unless an over-payment settles them. */
  private disburse(date: string, amount: bigint): void {
    const { overpaid } =
      this.operations.length === 0 ? { overpaid: 0n } : computeLoan(this.terms, this.operations, date);
    this.add({ kind: 'DISBURSED', date, amount });
    if (!/DOWNPAYMENT_AUTO/.test(this.theCase.inputs['product'] ?? '')) return;
    const { instalments } = computeLoan(this.terms, this.operations, date);
    const down = instalments.findLast(({ kind, dueDate }) => kind === 'DOWN_PAYMENT' && dueDate === date);
    const due = (down?.due.principal ?? 0n) - overpaid;
    if (due > 0n) this.add({ kind: 'REPAID', date, amount: due, method: 'DOWN_PAYMENT', isDownPayment: true });
  }

  private credit(date: string, amount: bigint, type: string): void {
    const isAdvanced = this.theCase.inputs['allocation_strategy'] === 'ADVANCED_PAYMENT_ALLOCATION';
    const prepayment = isAdvanced ? RULE_OF_CREDIT[type] : undefined;
    this.add({ kind: 'CREDITED', date, amount, type, ...(prepayment === undefined ? {} : { prepayment }) });
  }

  /** The source does not tell of which payment: the last one that is large enough. */
  private chargeBack(date: string, amount: bigint): void {
    const isRestoring = this.theCase.inputs['product']?.includes('CREDIT_ALLOCATION') === true;
    const of = this.operations.findLast(
      (one) => one.kind === 'REPAID' && one.amount >= amount && !this.undone.has(one.id),
    );
    const order: Bucket[] = ['penalty', 'fees', 'interest', 'principal'];
    const restores = isRestoring && of !== undefined ? { restores: { operation: of.id, order } } : {};
    this.add({ kind: 'CHARGED_BACK', date, amount, ...restores });
  }

  private undo(date: string, nth: number): void {
    const rows = this.rows().filter((row) => row.date === date);
    const row = rows[nth - 1];
    if (row === undefined) {
      this.differences.push(`no transaction ${nth} on ${date} to undo`);
      return;
    }
    this.undone.set(row.operation, { ...row, reverted: true });
    this.add({ kind: 'UNDONE', date: this.today, operation: row.operation });
  }

  private rows(): Row[] {
    const place = new Map(this.operations.map(({ id }, index) => [id, index]));
    const { transactions } = this.position();
    const rows = transactions.flatMap((row, index) => {
      if (row.kind === 'OVERPAYMENT_USED') return [];
      // The source shows what an over-payment settles in the balance of what made it owed.
      const used = transactions[index + 1];
      const balance = used?.kind === 'OVERPAYMENT_USED' ? used.balance : row.balance;
      return [{ ...row, balance, reverted: false, label: this.label(row.operation, row.kind) }];
    });
    return [...rows, ...this.undone.values()].sort((a, b) =>
      a.date === b.date ? (place.get(a.operation) ?? 0) - (place.get(b.operation) ?? 0) : a.date < b.date ? -1 : 1,
    );
  }

  private label(id: string, kind: string): string {
    const operation = this.operations.find((one) => one.id === id);
    if (operation?.kind === 'REPAID') {
      const isAuto = operation.isDownPayment === true && operation.method === 'DOWN_PAYMENT';
      return isAuto && /DOWNPAYMENT_AUTO/.test(this.theCase.inputs['product'] ?? '') ? 'Down Payment' : 'Repayment';
    }
    if (operation?.kind === 'CREDITED') {
      return operation.type
        .toLowerCase()
        .replace(/(?:^|_)[a-z]/g, (letters) => letters.replace('_', ' ').toUpperCase());
    }
    return LABELS[kind] ?? kind;
  }

  private expect(step: Readonly<Record<string, unknown>>, where: string): void {
    if ('expect_schedule' in step) this.expectSchedule(step['expect_schedule'] as Text[], where);
    if ('expect_totals' in step) this.expectTotals(step['expect_totals'] as Text, where);
    if ('expect_transactions' in step) this.expectTransactions(step['expect_transactions'] as Text[], where);
    if ('expect_delinquency' in step) this.expectDelinquency(step['expect_delinquency'] as Text, where);
  }

  private same(where: string, what: string, expected: string, found: string): void {
    this.compared += 1;
    if (expected !== found) this.differences.push(`${where} ${what}: expected ${expected}, found ${found}`);
  }

  private expectSchedule(rows: readonly Text[], where: string): void {
    const expected = rows.filter((row) => row['nr'] !== 'disb');
    const { instalments } = this.position();
    this.same(where, 'instalments', `${expected.length}`, `${instalments.length}`);
    for (const [index, row] of expected.entries()) {
      const at = `${where} instalment ${row['nr']}`;
      const found = instalments[index];
      if (found === undefined) continue;
      this.same(at, 'date', row['date'] ?? '', found.dueDate);
      this.same(at, 'paid date', row['paid_date'] ?? '-', found.paidDate ?? '-');
      const { due, paid, waived } = found;
      const sums = { due: sum(due), paid: sum(paid) };
      const amounts = {
        ...{ balance: found.balance, principal: due.principal, interest: due.interest, fees: due.fees },
        ...{ penalties: due.penalty, ...sums, in_advance: found.paidInAdvance, late: found.paidLate },
        outstanding: sums.due - sums.paid - sum(waived),
      };
      for (const [name, amount] of Object.entries(amounts)) {
        if (name === 'in_advance' && contradictsItself(row)) {
          this.leftOut.add('a row settled before its day says that less than all of it was paid in advance');
          continue;
        }
        this.same(at, name, `${cents(row[name])}`, `${amount}`);
      }
    }
  }

  private expectTotals(row: Text, where: string): void {
    const { instalments } = this.position();
    const total = (of: (one: (typeof instalments)[number]) => bigint): bigint =>
      instalments.reduce((all, one) => all + of(one), 0n);
    const amounts = {
      principal_due: total(({ due }) => due.principal),
      interest: total(({ due }) => due.interest),
      fees: total(({ due }) => due.fees),
      penalties: total(({ due }) => due.penalty),
      due: total(({ due }) => sum(due)),
      paid: total(({ paid }) => sum(paid)),
      in_advance: total(({ paidInAdvance }) => paidInAdvance),
      late: total(({ paidLate }) => paidLate),
      outstanding: total(({ due, paid, waived }) => sum(due) - sum(paid) - sum(waived)),
    };
    for (const [name, amount] of Object.entries(amounts)) {
      if (name === 'in_advance' && this.leftOut.size > 0 && instalments.length === 1) continue;
      this.same(where, `total ${name}`, `${cents(row[name])}`, `${amount}`);
    }
  }

  private expectTransactions(rows: readonly Text[], where: string): void {
    if (rows.some((row) => row['account_code'] !== undefined)) {
      this.leftOut.add("entries in the source's chart of accounts: our own book is checked by the tests of booking");
      return;
    }
    const expected = rows.filter((row) => row['transaction_type'] !== 'Accrual');
    if (expected.length < rows.length) {
      this.leftOut.add(
        "accruals are entries of a daily job with the source's own calendar, no transactions of the loan",
      );
    }
    const found = this.rows();
    this.same(where, 'transactions', expected.map(titleOf).join(', '), found.map(foundTitle).join(', '));
    for (const [index, row] of expected.entries()) {
      const one = found[index];
      if (one === undefined) continue;
      const at = `${where} transaction ${index + 1}`;
      const { portions } = one;
      const moves = ['Re-age', 'Re-amortize', 'Charge-off'].includes(one.label);
      const amounts: Record<string, bigint> = {
        ...{ amount: one.amount, principal: portions.principal, interest: portions.interest, fees: portions.fees },
        penalties: portions.penalty,
        // The source prints no balance for what moves no money.
        ...(moves ? {} : { loan_balance: one.balance }),
        ...(row['overpayment'] == null ? {} : { overpayment: one.overpaid }),
      };
      for (const [name, amount] of Object.entries(amounts)) this.same(at, name, `${cents(row[name])}`, `${amount}`);
      if (row['reverted'] != null) this.same(at, 'reverted', row['reverted'], `${one.reverted}`);
    }
  }

  private expectDelinquency(row: Text, where: string): void {
    const { oldestOverdueDate, daysOverdue } = this.position();
    const date = row['delinquent_date'] ?? '';
    const found = oldestOverdueDate !== null && daysOverdue > DELINQUENCY_GRACE_DAYS;
    this.same(where, 'delinquent', `${date !== ''}`, `${found}`);
    if (date === '' || oldestOverdueDate === null) return;
    const since = new Date(Date.parse(oldestOverdueDate) + DELINQUENCY_GRACE_DAYS * 86_400_000);
    this.same(where, 'delinquent date', date, since.toISOString().slice(0, 10));
  }
}

type LoanOperationDraft = LoanOperation extends infer One
  ? One extends LoanOperation
    ? Omit<One, 'id'>
    : never
  : never;

const LABELS: Readonly<Record<string, string>> = {
  DISBURSED: 'Disbursement',
  CHARGED_BACK: 'Chargeback',
  REAMORTISED: 'Re-amortize',
  REAGED: 'Re-age',
  WRITTEN_OFF: 'Charge-off',
};

/** Settled before it was due: then all that was paid was paid in advance. */
function contradictsItself(row: Text): boolean {
  const [date, paidDate] = [row['date'] ?? '', row['paid_date'] ?? ''];
  return paidDate !== '' && paidDate < date && cents(row['in_advance']) !== cents(row['paid']);
}

const titleOf = (row: Text): string => `${row['transaction_date']} ${row['transaction_type']}`;
const foundTitle = ({ date, label }: Row): string => `${date} ${label}`;

function sum(amounts: Readonly<Record<Bucket, bigint>>): bigint {
  return amounts.principal + amounts.interest + amounts.fees + amounts.penalty;
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']; // prettier-ignore
function isoDate(text: string): string {
  const [day = '', month = '', year = ''] = text.split(' ');
  return `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, '0')}-${day.padStart(2, '0')}`;
}
