import type { EntryPosted, HoldType, Line } from '../../domain/ledger/events.js';

type Capture = NonNullable<EntryPosted['data']['capture']>;

/**
 * One account's book as it is summed up again from amounts: what the events say the balance is, is only compared.
 * Made in the middle of a log it does not know what was before: then the first statement of each kind is taken as given.
 * Every method answers what is wrong, or undefined.
 */
export class AccountBook {
  status: 'ACTIVATED' | 'CLOSED' | undefined;
  ledger: bigint | undefined;
  sequence: number | undefined;
  held: bigint | undefined;
  liens: bigint | undefined;

  private constructor(
    readonly id: string,
    readonly currency: string,
    known: boolean,
  ) {
    if (!known) return;
    this.status = 'ACTIVATED';
    this.ledger = 0n;
    this.sequence = 0;
    this.held = 0n;
    this.liens = 0n;
  }

  /** An account that is opened now: nothing was posted to it. */
  static opened(id: string, currency: string): AccountBook {
    return new AccountBook(id, currency, true);
  }

  /** An account that was opened before the part of the log that is looked at. */
  static seen(id: string, currency: string): AccountBook {
    return new AccountBook(id, currency, false);
  }

  copy(): AccountBook {
    return Object.assign(new AccountBook(this.id, this.currency, false), this);
  }

  post(line: Line): string | undefined {
    if (this.status === 'CLOSED') return `a line is posted to account ${this.id}, which is closed`;
    if (line.currency !== this.currency) {
      return `a line in ${line.currency} is posted to account ${this.id}, which is in ${this.currency}`;
    }
    const stated = BigInt(line.balance);
    const amount = BigInt(line.amount);
    const signed = line.side === 'credit' ? amount : -amount;
    const expected = (this.ledger ?? stated - signed) + signed;
    if (stated !== expected) {
      return `account ${this.id} should have the balance ${expected} after line ${line.sequence}, not ${stated}`;
    }
    const next = (this.sequence ?? line.sequence - 1) + 1;
    if (line.sequence !== next) return `account ${this.id} should have line ${next} next, not ${line.sequence}`;
    this.ledger = expected;
    this.sequence = next;
    return undefined;
  }

  /** `amount` goes on hold (positive) or comes off it (negative); the event states the totals after it. */
  hold(type: HoldType, amount: bigint, stated: { readonly held: string; readonly liens: string }): string | undefined {
    const held = BigInt(stated.held);
    const liens = BigInt(stated.liens);
    const heldChange = type === 'HOLD' ? amount : 0n;
    const liensChange = type === 'LIEN' ? amount : 0n;
    const expectedHeld = (this.held ?? held - heldChange) + heldChange;
    const expectedLiens = (this.liens ?? liens - liensChange) + liensChange;
    if (held !== expectedHeld) return `account ${this.id} should have ${expectedHeld} on hold, not ${held}`;
    if (liens !== expectedLiens) return `account ${this.id} should have ${expectedLiens} under lien, not ${liens}`;
    if (held < 0n || liens < 0n) return `account ${this.id} has less than nothing on hold`;
    this.held = held;
    this.liens = liens;
    return undefined;
  }

  /** A hold that began before the part of the log that is looked at, so its type is not known. */
  holdOfUnknownType(amount: bigint, stated: { readonly held: string; readonly liens: string }): string | undefined {
    const lien = this.liens !== undefined && BigInt(stated.liens) !== this.liens;
    return this.hold(lien ? 'LIEN' : 'HOLD', amount, stated);
  }
}

/** What is still on hold of one hold, and whether what is taken from it may be. */
export interface HoldBook {
  readonly account: string;
  readonly type: HoldType;
  readonly remaining: bigint;
}

/** The hold after `amount` of it was captured or released; text when that may not be. */
export function takeFromHold(
  hold: HoldBook,
  taken: Pick<Capture, 'hold' | 'account' | 'amount' | 'remaining'>,
): HoldBook | string {
  const remaining = hold.remaining - BigInt(taken.amount);
  if (taken.account !== hold.account) return `hold ${taken.hold} is on another account`;
  if (remaining < 0n) return `more is captured or released of hold ${taken.hold} than was placed`;
  if (remaining !== BigInt(taken.remaining)) {
    return `hold ${taken.hold} should have ${remaining} left, not ${taken.remaining}`;
  }
  return { ...hold, remaining };
}
