/** Random commands about loans, made of a few small numbers so that they can be drawn and shrunk. */
import type { Command, CommandName, CommandPayloads } from '../../application/commands.js';
import { keyOf, requestHash } from '../../application/idempotency.js';
import { loanWalletNumber } from '../../domain/loan/decide-disbursement.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import { customerCodeOf } from '../../domain/customer/customer-code.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import type { Actor } from '../../domain/shared/decider.js';
import { accountIdOf, nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import { ADA, plainlySealed } from './given-people.js';
import { productSettings } from './given-loans.js';

export const LOAN_INTENTS = [
  ['accrue', 10], ['report', 12], ['verify', 14], ['reject', 1], ['pay-off', 3], ['pay-off-wallet', 3], ['charge', 6], ['waive', 5],
  ['credit', 3], ['charge-back', 3], ['rate', 4], ['reschedule', 3], ['reamortise', 2], ['reage', 2], ['prepayment', 2], ['write-off', 2],
  ['recover', 4], ['undo', 14], ['spend', 3], ['fund', 3], ['retry', 8], ['step', 6], ['freeze', 1], ['unfreeze', 3],
] as const; // prettier-ignore
export type LoanIntentKind = (typeof LOAN_INTENTS)[number][0];

export interface LoanIntent {
  readonly kind: LoanIntentKind;
  readonly loan: number;
  readonly a: number;
  readonly b: number;
  /** Days before today. */
  readonly ago: number;
  readonly keyed: boolean;
}

const SLUG = 'lender';
export const LENDER = tenantIdOf(SLUG);
const MANAGER: Actor = { subject: 'manager', roles: ['MANAGER'] };
const id = (name: string): string => nameBasedUuid(LENDER, name);
const CUSTOMERS = [id('ada'), id('bob')] as const;
export const LOANS = Array.from({ length: 4 }, (_, i) => id(`loan ${i}`));
const WALLET = (customer: number): string => loanWalletNumber(customerCodeOf(customer + 1), 'NGN');

const FEES = [
  { name: 'upfront', when: 'UPFRONT', kind: 'PERCENT', percent: '1.5' },
  { name: 'each', when: 'INSTALMENT', kind: 'FIXED', amount: '333' },
] as const satisfies LoanProductSettings['fees'];
const BY_BUCKET = { walk: 'BY_BUCKET', due: ['principal', 'interest', 'fees', 'penalty'], inAdvance: ['principal', 'interest', 'fees', 'penalty'] } as const; // prettier-ignore
/** One of each schedule, with what else may differ spread over them. */
export const PRODUCTS: ReadonlyArray<Partial<LoanProductSettings>> = [
  { schedule: 'EQUAL_INSTALMENTS', recalculates: false, fees: [...FEES], penalty: { graceDays: 3, when: 'FLAT', kind: 'FIXED', amount: '777' } },
  { schedule: 'EQUAL_INSTALMENTS', dayCount: 'ACT/365', interestBy: 'DAILY', prepayment: 'REAMORTISE', downPaymentPercent: '10' },
  { schedule: 'FLAT', recalculates: false, frequency: { every: 1, unit: 'WEEKS' }, prepayment: 'SHORTEN', allocation: { ...BY_BUCKET, due: [...BY_BUCKET.due], inAdvance: [...BY_BUCKET.inAdvance] } },
  { schedule: 'EQUAL_PRINCIPAL', dayCount: 'ACT/ACT', interestBy: 'DAILY', graceOnPrincipal: 1, prepayment: 'REDUCE', penalty: { graceDays: 0, when: 'DAILY', kind: 'PERCENT', percent: '0.1', cap: '9000' } },
  { schedule: 'BULLET', dayCount: 'ACT/360', interestBy: 'DAILY', graceOnInterest: 1, fees: [...FEES] },
  { schedule: 'INTEREST_ONLY', recalculates: false, interestFreePeriods: 1, frequency: { every: 10, unit: 'DAYS' } },
  { schedule: 'BALLOON', balloonPercent: '40', rounding: { multiple: '100', mode: 'HALF_UP' }, prepayment: 'REDUCE' },
]; // prettier-ignore

const AMOUNTS = [1n, 99n, 333n, 777n, 1_000n, 5_000n, 12_345n, 50_000n, 110_000n, 350_000n, 999_999n, 2_000_000n, 0n];
const RATES = ['0', '6', '12', '24.5', '99'];
const DAY_MS = 86_400_000;
const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

/** Commands on four loans: three that run from the beginning, and one that is taken step by step. */
export class LoanCommandMaker {
  #made = 0;
  readonly #sent: Command[] = [];
  readonly #repayments = LOANS.map((): string[] => []);
  readonly #operations = LOANS.map((): string[] => []);

  /** In order: each needs the one before. `products`: which of them the loans are of. */
  founding(products: readonly number[]): Command[] {
    const settings = { name: SLUG, baseCurrency: 'NGN', currencies: ['NGN'], domains: [], branding: {}, emailTemplates: {} }; // prettier-ignore
    const person = (subject: string) => plainlySealed(subject, ADA);
    return [
      this.#command('create-tenant', { slug: SLUG, settings }),
      ...CUSTOMERS.flatMap((customer) => [
        this.#command('register-customer', { customer, customerType: 'INDIVIDUAL', country: 'NGA', person: person(customer) }), // prettier-ignore
        this.#command('verify-customer', { customer, decision: 'APPROVE' }),
      ]),
      ...LOANS.flatMap((_, i) => {
        const product = id(`product ${i}`);
        const more = { ...pick(PRODUCTS, products[i] ?? 0), writeOffAfterDays: 0 };
        const disbursement = i === 3 ? 'MANUAL' : 'AUTOMATIC';
        const made: Command[] = [
          this.#command('save-loan-product', { product, isNew: true, settings: productSettings({ ...more, disbursement }) }), // prettier-ignore
          this.#command('set-loan-product-status', { product, to: 'ACTIVE' }),
        ];
        const steps = Array.from({ length: 5 }, (_, step) => this.#step(i, step));
        return i === 3 ? [...made, ...steps.slice(0, 1)] : [...made, ...steps];
      }),
    ];
  }

  make(intent: LoanIntent, today: string): Command {
    const again = this.#sent.filter(({ idempotency }) => idempotency !== undefined);
    const command =
      intent.kind === 'retry' && again.length > 0 ? pick(again, intent.a) : this.#fresh(intent, today, intent.keyed);
    this.#sent.push(command);
    return command;
  }

  /** What settles a loan today: reported, and verified. */
  settling(loan: number): readonly [Command, Command] {
    const repayment = this.#newId(this.#repayments, loan);
    return [
      this.#command('pay-off-loan', { loan: pick(LOANS, loan), repayment, method: 'CARD', reference: 'final' }),
      this.#command('verify-repayment', { loan: pick(LOANS, loan), repayment }),
    ];
  }

  accruing(loan: number, upTo: string): Command {
    return this.#command('accrue-loan', { loan: pick(LOANS, loan), upTo });
  }

  #fresh({ kind, loan: at, a, b, ago }: LoanIntent, today: string, keyed: boolean): Command {
    const loan = pick(LOANS, at);
    const date = dayBefore(today, ago);
    const amount = pick(AMOUNTS, a);
    const operate = (what: Without<LoanOperation>, opId = this.#newId(this.#operations, at)): Command =>
      this.#command('operate-loan', { loan, operation: { id: opId, date, ...what } as LoanOperation }, keyed);
    const repayments = this.#repayments[at % LOANS.length] ?? [];
    const operations = [...repayments, ...(this.#operations[at % LOANS.length] ?? []), id('nothing')];
    const known = repayments.length === 0 ? id('nothing') : pick(repayments.slice(-6), b);
    switch (kind) {
      case 'accrue':
        return this.#command('accrue-loan', { loan, upTo: b % 5 === 0 ? date : today }, keyed);
      case 'report': {
        const method = pick(['BANK_TRANSFER', 'BANK_TRANSFER', 'WALLET'], b);
        const repayment = this.#newId(this.#repayments, at);
        return this.#command('report-repayment', { loan, repayment, amount, method, paymentDate: date, reference: `r${b}` }, keyed); // prettier-ignore
      }
      case 'verify': {
        const more = b % 4 === 0 ? { receivedAmount: amount, valueDate: date } : {};
        return this.#command('verify-repayment', { loan, repayment: known, ...more }, keyed);
      }
      case 'reject':
        return this.#command('reject-repayment', { loan, repayment: known, reason: 'no' }, keyed);
      case 'pay-off':
      case 'pay-off-wallet': {
        const method = kind === 'pay-off' ? 'BANK_TRANSFER' : 'WALLET';
        const repayment = this.#newId(this.#repayments, at);
        return this.#command('pay-off-loan', { loan, repayment, method, reference: `p${b}` }, keyed);
      }
      case 'charge':
        return operate({ kind: 'CHARGED', bucket: pick(['fees', 'penalty'], b), amount, due: dayBefore(today, ago - (b % 90)), type: 'T' }); // prettier-ignore
      case 'waive':
        return operate({ kind: 'WAIVED', bucket: pick(['interest', 'fees', 'penalty'], b), amount });
      case 'credit':
        return operate({ kind: 'CREDITED', amount, type: pick(['REFUND', 'GOODWILL'], b) });
      case 'charge-back': {
        const restores = { operation: known, order: ['interest', 'principal', 'fees', 'penalty'] as const };
        return operate({ kind: 'CHARGED_BACK', amount, ...(b % 3 === 0 ? { restores } : {}) });
      }
      case 'rate':
        return operate({ kind: 'RATE_CHANGED', annualRatePercent: pick(RATES, b) });
      case 'reschedule':
        return operate(
          b % 2 === 0
            ? { kind: 'RESCHEDULED', instalments: 1 + (a % 24) }
            : { kind: 'RESCHEDULED', firstDueDate: dayBefore(date, -1 - (a % 60)) },
        );
      case 'reamortise':
        return operate({ kind: 'REAMORTISED' });
      case 'reage':
        return operate({ kind: 'REAGED', instalments: 1 + (a % 12), frequency: { every: 1 + (b % 3), unit: 'WEEKS' }, firstDueDate: dayBefore(date, -7) }); // prettier-ignore
      case 'prepayment':
        return operate({ kind: 'PREPAYMENT_RULE_SET', rule: pick(['NEXT_INSTALMENT', 'SHORTEN', 'REDUCE', 'REAMORTISE'], b) }); // prettier-ignore
      case 'write-off':
        return operate({ kind: 'WRITTEN_OFF', ...(b % 4 === 0 ? { stillOwed: true } : {}) });
      case 'recover':
        return operate({ kind: 'RECOVERED', amount });
      case 'undo':
        return operate({ kind: 'UNDONE', operation: pick(operations, a) });
      case 'spend':
      case 'fund': {
        const [debit, credit] = kind === 'spend' ? [WALLET(b % 2), 'SYS-CASH-NGN'] : ['SYS-CASH-NGN', WALLET(b % 2)];
        const line = (accountNumber: string, side: 'debit' | 'credit') => ({ accountNumber, currency: 'NGN', side, amount }); // prettier-ignore
        return this.#command('post-journal-entry', { lines: [line(debit, 'debit'), line(credit, 'credit')] }, keyed);
      }
      case 'freeze':
      case 'unfreeze': {
        const account = accountIdOf(LENDER, WALLET(b % 2));
        return kind === 'freeze'
          ? this.#command('freeze-account', { account, scope: 'DEBIT', reason: 'test' }, keyed)
          : this.#command('unfreeze-account', { account }, keyed);
      }
      case 'step':
      case 'retry':
        return this.#step(3, 1 + (b % 6), keyed);
    }
  }

  #step(at: number, step: number, keyed = false): Command {
    const loan = pick(LOANS, at);
    const customer = pick(CUSTOMERS, at);
    const common = { amount: 1_000_000n, instalments: 8 };
    switch (step) {
      case 0:
        return this.#command('request-loan', { loan, customer, product: id(`product ${at}`), ...common, repaymentMethod: 'WALLET', person: plainlySealed(customer, ADA), facts: {} }, keyed); // prettier-ignore
      case 1:
        return this.#command('approve-loan', { loan, ...common, annualRatePercent: '18' }, keyed);
      case 2:
        return this.#command('send-loan-offer', { loan }, keyed);
      case 3:
        return this.#command('accept-loan-offer', { loan }, keyed);
      case 4:
        return this.#command('accept-loan-conditions', { loan }, keyed);
      default:
        return this.#command('disburse-loan', { loan }, keyed);
    }
  }

  #newId(lists: readonly string[][], at: number): string {
    const made = id(`made ${this.#made}`);
    lists[at % LOANS.length]?.push(made);
    return made;
  }

  #command<N extends CommandName>(name: N, payload: CommandPayloads[N], keyed = false): Command<N> {
    this.#made += 1;
    const hash = requestHash('test', String(this.#made));
    const key = { idempotency: { id: keyOf(LENDER, name, `key ${this.#made}`), requestHash: hash } };
    return { name, tenantId: LENDER, payload, actor: MANAGER, correlationId: `c${this.#made}`, ...(keyed ? key : {}) };
  }
}

/** Distributes over the kinds. */
type Without<T> = T extends unknown ? Omit<T, 'id' | 'date'> : never;

function dayBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10);
}
