/** Loans as facts in a log, without deciders: also the totals booked are those that the computation gives. */
import { bookedToJson, totalsOf } from '../../domain/loan/booked.js';
import { addDays } from '../../domain/loan/calendar.js';
import { computeLoan } from '../../domain/loan/compute.js';
import type { LoanStatus } from '../../domain/loan/events.js';
import { operationToJson } from '../../domain/loan/operations-json.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import type { LoanPosition } from '../../domain/loan/position.js';
import { DEFAULT_ALLOCATION, type LoanTerms } from '../../domain/loan/terms.js';
import { termsToJson } from '../../domain/loan/terms-json.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import type { Json } from '../../domain/shared/event.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { Book } from './busy-book.js';
import type { BusyPeople } from './busy-people.js';
import { type GivenEvent, append } from './given-events.js';
import { plainlySealed } from './given-people.js';

/** A union's members, each without some. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Operated = Without<LoanOperation, 'id' | 'date'>;

const TERMS: LoanTerms = {
  currency: 'NGN',
  principal: 1_200_000n,
  annualRatePercent: '24',
  schedule: 'EQUAL_INSTALMENTS',
  instalments: 12,
  frequency: { every: 1, unit: 'MONTHS' },
  dayCount: '30/360',
  interestBy: 'PERIOD',
  recalculates: false,
  graceOnPrincipal: 0,
  graceOnInterest: 0,
  interestFreePeriods: 0,
  rounding: { multiple: 1n, mode: 'HALF_EVEN' },
  fees: [{ name: 'Processing', when: 'UPFRONT', kind: 'PERCENT', percent: '1' }],
  penalty: { graceDays: 3, when: 'DAILY', kind: 'PERCENT', percent: '0.1' },
  prepayment: 'NEXT_INSTALMENT',
  allocation: DEFAULT_ALLOCATION,
};

export function productSettings(name: string, currency: string): LoanProductSettings {
  const { principal: _, instalments: __, currency: ___, rounding, fees: ____, penalty: _____, ...terms } = TERMS;
  return {
    ...terms,
    ...{ name, description: '“Quick”\u001e', currency, minAmount: '1', maxAmount: '99999999' },
    ...{ minInstalments: 1, maxInstalments: 60, rounding: { ...rounding, multiple: '1' }, fees: [] },
    allocation: {
      ...DEFAULT_ALLOCATION,
      due: [...DEFAULT_ALLOCATION.due],
      inAdvance: [...DEFAULT_ALLOCATION.inAdvance],
    },
    ...{ frequency: { ...terms.frequency }, disbursement: 'AUTOMATIC', offerDays: 14, writeOffAfterDays: 90 },
    ...{ repaymentMethods: ['WALLET', 'BANK_TRANSFER'], thirdPartyCollection: false, bvnRequired: false },
    ...{ questions: [], eligibility: [], scoring: { rules: [], high: 0, low: 10 } },
  };
}

/** One borrower's loan: what happens to it is told in order, and comes out as facts. */
export class Borrowed {
  readonly events: GivenEvent[] = [];
  readonly operations: LoanOperation[] = [];
  readonly loan: string;
  readonly terms: LoanTerms;
  #status: LoanStatus = 'REQUESTED';
  #upTo = '';

  constructor(
    readonly tenantId: string,
    readonly sequence: number,
    readonly of: {
      readonly customer: string;
      readonly product: string;
      readonly agent?: string;
      readonly version?: number;
    },
    terms: Partial<LoanTerms> = {},
  ) {
    this.loan = this.id('loan');
    this.terms = { ...TERMS, ...terms };
    const { customer, product, agent, version = 1 } = of;
    this.#say('loan-requested', {
      ...{ code: `L${sequence}K`, codeSequence: sequence, customer, product, productVersion: version },
      ...{ currency: this.terms.currency, amount: '1300000', instalments: 12, repaymentMethod: 'BANK_TRANSFER' },
      ...(agent === undefined ? {} : { agent }),
      person: plainlySealed(customer, applicant(sequence)),
    });
  }

  id(what: string): string {
    return nameBasedUuid(this.tenantId, `loan ${this.sequence} ${what}`);
  }

  assessed(outcome: 'REVIEW' | 'REJECTED' = 'REVIEW'): this {
    const applied = { name: 'age', must: { fact: 'age', operator: 'GTE', value: '18' } };
    return this.#say('loan-assessed', {
      ...{ eligibility: [{ rule: 'age', met: outcome === 'REVIEW', applied }], scoring: [], score: 7 },
      ...{ risk: outcome === 'REVIEW' ? 'MEDIUM' : 'HIGH', outcome },
    });
  }

  approved(reason?: string): this {
    const { principal, annualRatePercent, instalments } = this.terms;
    const fees = [{ name: 'Insurance', when: 'UPFRONT', kind: 'FIXED', amount: '5000' }];
    return this.#step('APPROVED', 'loan-approved', {
      ...{ amount: principal.toString(), annualRatePercent, instalments, fees },
      ...(reason === undefined ? {} : { reason }),
    });
  }

  offered(): this {
    return this.#step('OFFER_SENT', 'loan-offer-sent', {
      ...{ expiresAt: '2026-04-01T00:00:00Z', terms: termsToJson(this.terms) },
    });
  }

  accepted(): this {
    this.#step('ACCEPTED', 'loan-offer-accepted', {});
    return this.#say('loan-conditions-accepted', { conditionsVersion: 2 });
  }

  ended(to: 'REJECTED' | 'WITHDRAWN' | 'CANCELLED', by: string, reason?: string): this {
    const from = this.#status;
    return this.#step(to, 'loan-ended', { from, to, by, ...(reason === undefined ? {} : { reason }) });
  }

  disbursed(date: string): this {
    this.assessed().approved().offered().accepted();
    const operation: LoanOperation = {
      kind: 'DISBURSED',
      id: this.id('disbursed'),
      date,
      amount: this.terms.principal,
    };
    this.operations.push(operation);
    this.#upTo = date;
    const accounts = Object.fromEntries(
      ['principal', 'interest', 'fees', 'penalty'].map((bucket) => [bucket, this.id(bucket)]),
    );
    return this.#step('DISBURSED', 'loan-disbursed', {
      ...{ terms: termsToJson(this.terms), operation: operationToJson(operation), wallet: this.id('wallet'), accounts },
      ...{ upTo: date, booked: this.#booked() },
    });
  }

  /** Recorded on its day, or later where that was accrued already. */
  did(date: string, operated: Operated, more: { repayment?: string; reason?: string; name?: string } = {}): this {
    const { name = `operation ${this.operations.length}`, ...said } = more;
    const operation = { ...operated, id: this.id(name), date } as LoanOperation;
    this.operations.push(operation);
    if (date > this.#upTo) this.#upTo = date;
    const booked = this.#booked();
    return this.#say('loan-operated', { operation: operationToJson(operation), ...said, upTo: this.#upTo, booked });
  }

  undid(date: string, name: string): this {
    return this.did(date, { kind: 'UNDONE', operation: this.id(name) });
  }

  /** Day by day. */
  accrued(to: string, every = 1): this {
    for (let day = addDays(this.#upTo, every); day <= to; day = addDays(day, every)) {
      this.#upTo = day;
      this.#say('loan-accrued', { upTo: day, booked: this.#booked() });
    }
    return this;
  }

  reported(
    name: string,
    amount: bigint,
    paymentDate: string,
    more: { bankAccount?: string; payoff?: boolean } = {},
  ): this {
    return this.#say('repayment-reported', {
      ...{ repayment: this.id(name), amount: amount.toString(), method: 'BANK_TRANSFER', paymentDate },
      ...{ reference: `REF-${this.sequence}`, ...more },
    });
  }

  verified(name: string, amount: bigint, date: string): this {
    this.#say('repayment-verified', { repayment: this.id(name), receivedAmount: amount.toString(), valueDate: date });
    const repaid = { kind: 'REPAID', amount, method: 'BANK_TRANSFER' } as const;
    return this.did(date, repaid, { repayment: this.id(name), name: `of ${name}` });
  }

  rejected(name: string): this {
    return this.#say('repayment-rejected', { repayment: this.id(name), reason: 'no such payment' });
  }

  paidOff(date: string): this {
    return this.#step('PAID_OFF', 'loan-paid-off', { date });
  }

  reopened(): this {
    return this.#step('DISBURSED', 'loan-reopened', {});
  }

  position(day: string): LoanPosition {
    return computeLoan(this.terms, this.operations, day);
  }

  /** What settles it all on a day. */
  owed(day: string): bigint {
    const { principal, interest, fees, penalty } = this.position(day).outstanding;
    return principal + interest + fees + penalty;
  }

  #booked() {
    const totals = totalsOf(this.terms, this.operations, computeLoan(this.terms, this.operations, this.#upTo));
    return bookedToJson(totals);
  }

  #step(to: LoanStatus, type: string, data: object): this {
    this.#status = to;
    return this.#say(type, data);
  }

  #say(type: string, data: object): this {
    const { loan, tenantId } = this;
    this.events.push({ type, tenantId, data: { loan, ...data }, tags: [`loan:${loan}`] });
    return this;
  }
}

function applicant(sequence: number): Json {
  return {
    ...{ firstName: `Borrower${sequence}`, lastName: 'Test', email: `b${sequence}@example.com` },
    ...{ dateOfBirth: '1990-01-01', country: 'NGA', employmentStatus: 'EMPLOYED', bvn: '12345678901' },
    answers: [{ questionId: 'q1', question: 'Why?', answer: 'Because' }],
  };
}

export interface BusyLoans {
  readonly loans: readonly Borrowed[];
  readonly products: readonly string[];
  readonly withdrawals: readonly string[];
}

/** Some of everything that can happen in lending, loan by loan but told in turns. */
export async function busyLoans(
  { log, tenantId }: Pick<Book, 'log' | 'tenantId'>,
  people: Pick<BusyPeople, 'customers' | 'agents'>,
): Promise<BusyLoans> {
  const agents = [people.agents.lagos, people.agents.kano];
  const products = ['quick', 'yen', 'retired'].map((name) => nameBasedUuid(tenantId, `product ${name}`));
  const [quick = '', yen = ''] = products;
  const of = (customer: number, product = quick, version = 1) => {
    const agent = agents[customer % 3];
    return { customer: people.customers[customer] ?? '', product, version, ...(agent === undefined ? {} : { agent }) };
  };
  const loan = (sequence: number, by: ReturnType<typeof of>, terms: Partial<LoanTerms> = {}): Borrowed =>
    new Borrowed(tenantId, sequence, by, terms);

  const loans = [
    loan(1, of(0)),
    loan(2, of(1)).assessed('REJECTED').ended('REJECTED', 'SYSTEM', 'an automated check was not passed'),
    loan(3, of(2)).assessed().approved('a good customer'),
    loan(4, of(0)).assessed().approved().offered(),
    loan(5, of(3)).assessed().approved().offered().ended('WITHDRAWN', 'SYSTEM', 'the offer has expired'),
    loan(6, of(4)).assessed().approved().offered().accepted(),
    loan(7, of(5)).ended('CANCELLED', 'STAFF'),
    loan(8, of(0, quick, 2))
      .disbursed('2026-01-10')
      .reported('first', 113_472n, '2026-02-09', { bankAccount: nameBasedUuid(tenantId, 'bank') })
      .verified('first', 113_472n, '2026-02-10')
      .reported('second', 50_000n, '2026-03-09')
      .accrued('2026-03-14', 7),
    loan(9, of(0))
      .disbursed('2025-10-05')
      .did('2025-10-20', { kind: 'CHARGED', bucket: 'fees', amount: 2_500n, due: '2025-11-05', type: 'LETTER' })
      .accrued('2025-11-20')
      .did('2025-11-20', { kind: 'WAIVED', bucket: 'penalty', amount: 100n }, { reason: 'goodwill' })
      .did('2025-11-21', { kind: 'REPAID', amount: 60_000n, method: 'WALLET' }, { name: 'by wallet' })
      .accrued('2026-03-14', 9),
    loan(10, of(1))
      .disbursed('2025-12-20')
      .did('2026-01-20', { kind: 'REPAID', amount: 113_472n, method: 'WALLET' }, { name: 'mistaken' })
      .undid('2026-01-25', 'mistaken')
      .did('2026-01-26', { kind: 'REPAID', amount: 100_000n, method: 'CARD' })
      .reported('false', 1n, '2026-02-01')
      .rejected('false')
      .accrued('2026-03-14', 5),
    loan(11, of(2))
      .disbursed('2026-01-02')
      .accrued('2026-02-10', 3)
      .did('2026-02-10', { kind: 'RESCHEDULED', instalments: 6 }, { reason: 'hardship' })
      .did('2026-02-12', { kind: 'RESCHEDULED', instalments: 18 })
      .did('2026-02-14', { kind: 'RESCHEDULED', instalments: 4, annualRatePercent: '12' }),
    loan(12, of(3))
      .disbursed('2025-09-15')
      .accrued('2026-02-01', 20)
      .did('2026-02-01', { kind: 'WRITTEN_OFF' }, { reason: 'lost' })
      .did('2026-02-20', { kind: 'RECOVERED', amount: 10_000n }),
    loan(13, of(4)).disbursed('2025-09-20').did('2026-02-02', { kind: 'WRITTEN_OFF', stillOwed: true }),
    loan(14, of(5))
      .disbursed('2025-11-11')
      .did('2026-02-03', { kind: 'WRITTEN_OFF' }, { name: 'too early' })
      .undid('2026-02-04', 'too early'),
    settled(loan(15, of(2)).disbursed('2026-01-05'), '2026-02-05')
      .undid('2026-02-06', 'of payoff')
      .reopened(),
    settled(loan(16, of(0)).disbursed('2026-01-05'), '2026-03-01').paidOff('2026-03-01'),
    loan(17, of(3), { recalculates: true, interestBy: 'DAILY', dayCount: 'ACT/365' })
      .disbursed('2026-01-15')
      .did('2026-02-25', { kind: 'REPAID', amount: 90_000n, method: 'WALLET' })
      .accrued('2026-03-14', 2),
    loan(18, of(0, yen), {
      ...{ currency: 'JPY', principal: 90_000n, instalments: 10, frequency: { every: 2, unit: 'WEEKS' } },
      ...{ downPaymentPercent: '10', schedule: 'EQUAL_PRINCIPAL' },
    })
      .disbursed('2026-02-01')
      .did('2026-02-01', { kind: 'REPAID', amount: 9_000n, method: 'WALLET', isDownPayment: true }),
    loan(19, of(1, yen), { currency: 'JPY', principal: 60_000n, instalments: 6, fees: [] })
      .disbursed('2026-01-31')
      .did('2026-02-28', { kind: 'REPAID', amount: 11_000n, method: 'BANK_TRANSFER' })
      .did('2026-03-02', { kind: 'CHARGED_BACK', amount: 5_000n }),
    settled(loan(20, of(4)).disbursed('2026-02-10'), '2026-02-20', 700n).paidOff('2026-02-20'),
    loan(21, of(5), { instalments: 3 }).disbursed('2026-03-01'),
  ];
  const withdrawn = [0, 1, 2, 3].map((n) => withdrawalFacts(tenantId, n, people.customers[n % 2] ?? ''));
  await append(log, [...productFacts(tenantId, products), ...inTurns(loans.map(({ events }) => events))]);
  await append(log, inTurns(withdrawn.map(({ events }) => events)));
  return { loans, products, withdrawals: withdrawn.map(({ id }) => id) };
}

/** Reported and verified is what is owed, and `more`. */
function settled(loan: Borrowed, day: string, more = 0n): Borrowed {
  const amount = loan.owed(day) + more;
  return loan.reported('payoff', amount, day, { payoff: true }).verified('payoff', amount, day);
}

/** What happens to one of them happens between what happens to the others. */
function inTurns(lives: ReadonlyArray<readonly GivenEvent[]>): GivenEvent[] {
  const longest = Math.max(...lives.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lives.flatMap((life) => life[i] ?? [])).flat();
}

function productFacts(tenantId: string, [quick = '', yen = '', retired = '']: readonly string[]): GivenEvent[] {
  const fact = (type: string, product: string, data: object): GivenEvent => ({
    ...{ type, tenantId, tags: [`loan-product:${product}`] },
    data: { product, ...data },
  });
  const saved = (product: string, productVersion: number, settings: LoanProductSettings): GivenEvent =>
    fact('loan-product-saved', product, { productVersion, settings });
  const conditions = (conditionsVersion: number): GivenEvent => ({
    ...{ type: 'loan-conditions-set', tenantId, tags: [`tenant:${tenantId}`] },
    data: { conditionsVersion, text: `Conditions ${conditionsVersion}`, details: { fees: { late: 'yes' } } },
  });
  return [
    saved(quick, 1, productSettings('Quick', 'NGN')),
    saved(yen, 1, productSettings('Yen', 'JPY')),
    fact('loan-product-status-set', quick, { from: 'INACTIVE', to: 'ACTIVE' }),
    conditions(1),
    saved(quick, 2, productSettings('Quicker', 'NGN')),
    saved(retired, 1, productSettings('Retired', 'NGN')),
    fact('loan-product-status-set', yen, { from: 'INACTIVE', to: 'ACTIVE' }),
    conditions(2),
  ];
}

function withdrawalFacts(tenantId: string, n: number, customer: string): { id: string; events: GivenEvent[] } {
  const id = nameBasedUuid(tenantId, `withdrawal ${n}`);
  const wallet = nameBasedUuid(tenantId, 'wallet');
  const fact = (type: string, data: object): GivenEvent => ({
    ...{ type, tenantId, tags: [`withdrawal:${id}`], data: { withdrawal: id, ...data } },
  });
  const requested = fact('withdrawal-requested', {
    ...{ reference: `TXN-20260301-00000${n}`, referenceSequence: n + 1, customer, wallet },
    ...{ bankDetail: nameBasedUuid(tenantId, 'bank'), currency: 'NGN', amount: '1000', fee: '10' },
    ...{
      entry: nameBasedUuid(tenantId, `entry ${n}`),
      person: plainlySealed(customer, { accountNumber: '0123456789' }),
    },
  });
  const later = [
    fact('withdrawal-submitted', { partner: 'simulator', partnerReference: `P${n}` }),
    n === 2
      ? fact('withdrawal-failed', { from: 'PROCESSING', reason: 'REJECTED_BY_BANK', creditedTo: wallet })
      : fact('withdrawal-completed', {}),
  ];
  return { id, events: [requested, ...later.slice(0, n === 3 ? 2 : n)] };
}
