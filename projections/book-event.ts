import type { ScannedEvent } from '../application/ports/event-scan.js';
import type { EntryPosted, LedgerEvent, Line } from '../domain/ledger/events.js';
import { InvariantViolation } from './projection.js';

/** An event of the book as it stands in the log. */
export type BookEvent = ScannedEvent & LedgerEvent;
export type PostedEntry = ScannedEvent & EntryPosted;

interface LastLine {
  balance: bigint;
  sequence: number;
}

/** Accounts whose last line is remembered between batches, in two generations. */
const REMEMBERED_ACCOUNTS = 50_000;

/**
 * Pair assertion of the book: what the decider made sure of is checked again on the way into the read models. In each
 * entry debits equal credits per currency; in each account a line's balance is the one before ± its amount and its
 * number the next. The first line of an account that is not remembered is taken as it is (the unique key of `entries`
 * refuses a number that is there already, and the self-audit compares the sums).
 */
export class BookCheck {
  #last = new Map<string, LastLine>();
  #older = new Map<string, LastLine>();

  /** Between batches: keeps memory bounded. */
  trim(): void {
    if (this.#last.size < REMEMBERED_ACCOUNTS / 2) return;
    this.#older = this.#last;
    this.#last = new Map();
  }

  /** What was checked may not have been applied: it will come again. */
  forget(): void {
    this.#last = new Map();
    this.#older = new Map();
  }

  /** Amount of each line, credit-positive. */
  entry(event: PostedEntry): bigint[] {
    const { lines } = event.data;
    const amounts = lines.map((line) => this.#line(event, line));
    const [first, second] = lines;
    if (lines.length === 2 && first !== undefined && second !== undefined && first.currency === second.currency) {
      if ((amounts[0] as bigint) + (amounts[1] as bigint) !== 0n) throw unbalanced(event, first.currency);
      return amounts;
    }
    const sums = new Map<string, bigint>();
    lines.forEach((line, i) => sums.set(line.currency, (sums.get(line.currency) ?? 0n) + (amounts[i] as bigint)));
    for (const [currency, sum] of sums) if (sum !== 0n) throw unbalanced(event, currency);
    return amounts;
  }

  #line(event: PostedEntry, line: Line): bigint {
    const amount = line.side === 'credit' ? BigInt(line.amount) : -BigInt(line.amount);
    const balance = BigInt(line.balance);
    const last = this.#last.get(line.account) ?? this.#remembered(line.account);
    if (last === undefined) {
      if (line.sequence === 1 && balance !== amount)
        throw broken(event, line, 'its first balance is not its first amount');
      this.#last.set(line.account, { balance, sequence: line.sequence });
      return amount;
    }
    if (line.sequence !== last.sequence + 1)
      throw broken(event, line, `line ${line.sequence} follows line ${last.sequence}`);
    if (balance !== last.balance + amount)
      throw broken(event, line, `the balance after line ${line.sequence} does not follow`);
    last.balance = balance;
    last.sequence = line.sequence;
    return amount;
  }

  #remembered(account: string): LastLine | undefined {
    const last = this.#older.get(account);
    if (last !== undefined) this.#last.set(account, last);
    return last;
  }
}

function unbalanced(event: PostedEntry, currency: string): InvariantViolation {
  return new InvariantViolation(`entry ${event.id} does not balance in ${currency}`);
}

function broken(event: PostedEntry, line: Line, what: string): InvariantViolation {
  return new InvariantViolation(`entry ${event.id}, account ${line.account}: ${what}`);
}
