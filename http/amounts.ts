import { type AmountError, formatAmount, parseAmount } from '../domain/shared/money.js';
import { decimalOut } from './json.js';
import { type FieldError, RequestFailed, failure } from './problem.js';

/** An amount as it may arrive: a JSON number that a double holds exactly, or decimal text. */
export type WireAmount = number | string;

const REASONS: Readonly<Record<AmountError, { code: string; message: string }>> = {
  'not-a-decimal': { code: 'INVALID_AMOUNT', message: 'must be a plain decimal number' },
  'unknown-currency': { code: 'UNKNOWN_CURRENCY', message: 'is not in an ISO 4217 currency' },
  'too-many-decimals': { code: 'TOO_MANY_DECIMALS', message: 'has more decimals than its currency' },
  'too-large': { code: 'AMOUNT_TOO_LARGE', message: 'is larger than any amount may be' },
};

/** Collects what is wrong with the amounts and dates of one request, so that all of it is told at once. */
export class Findings {
  readonly errors: FieldError[] = [];

  add(field: string, code: string, message: string): void {
    this.errors.push({ field, code, message: `${field} ${message}` });
  }

  /** Throws what was found, if anything. */
  throwIfAny(): void {
    if (this.errors.length > 0)
      throw new RequestFailed(failure('VALIDATION_ERROR', 'Validation failed', { errors: this.errors }));
  }
}

export type AmountSign = 'positive' | 'not-negative' | 'any';

/** Minor units of an amount in this currency; adds to `findings` and answers 0 when it is not one. */
export function amountIn(
  amount: WireAmount,
  currency: string,
  field: string,
  findings: Findings,
  sign: AmountSign = 'positive',
): bigint {
  // A number got here only if its digits survived: its shortest text is what was sent, but for trailing zeros.
  const minor = parseAmount(typeof amount === 'number' ? String(amount) : amount, currency);
  if (typeof minor !== 'bigint') {
    const { code, message } = REASONS[minor];
    findings.add(field, code, message);
    return 0n;
  }
  if (sign === 'positive' ? minor <= 0n : sign === 'not-negative' && minor < 0n) {
    findings.add(
      field,
      'AMOUNT_OUT_OF_RANGE',
      sign === 'positive' ? 'must be greater than zero' : 'must not be negative',
    );
    return 0n;
  }
  return minor;
}

/** Minor units (bigint or their text) to the JSON number of the amount in major units. */
export function amountOut(minor: bigint | string, currency: string): WireAmount {
  return decimalOut(formatAmount(typeof minor === 'bigint' ? minor : BigInt(minor), currency));
}

export function optionalAmountOut(minor: bigint | null, currency: string): WireAmount | null {
  return minor === null ? null : amountOut(minor, currency);
}
