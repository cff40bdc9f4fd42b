import type {
  AccountClosed,
  AccountOpened,
  EntryPosted,
  HoldPlaced,
  HoldReleased,
  LedgerEvent,
} from '../../domain/ledger/events.js';
import type { StoredEvent } from '../ports/event-log.js';
import { AccountBook, type HoldBook, takeFromHold } from './account-book.js';

type Stored<E extends LedgerEvent> = E & StoredEvent;
type Capture = NonNullable<EntryPosted['data']['capture']>;

/**
 * The invariants of the book over a tenant's events in order: entries balance per currency, every balance is the one
 * before ± the amount, lines are numbered without gaps, holds never give more than was placed, and events name in their
 * tags the aggregates they touch. Memory: a few numbers per account and per active hold.
 */
export class LedgerChecks {
  readonly accounts = new Map<string, AccountBook>();
  /** Active holds only. */
  readonly #holds = new Map<string, HoldBook>();
  readonly #totals = new Map<string, bigint>();

  /** `fromStart`: the first event is revision 0, so an account or hold that was not opened does not exist. */
  constructor(private readonly fromStart: boolean) {}

  /** Sum of all lines so far by currency, credits positive: zero everywhere in a sound book. */
  get totals(): ReadonlyMap<string, bigint> {
    return this.#totals;
  }

  /** What is wrong with the next event, or undefined. */
  check(event: StoredEvent): string | undefined {
    switch (event.type) {
      case 'account-opened':
        return this.#opened(event as Stored<AccountOpened>);
      case 'account-closed':
        return this.#closed(event as Stored<AccountClosed>);
      case 'account-frozen':
      case 'account-unfrozen':
      case 'account-permission-changed':
      case 'account-limits-changed':
        return this.#changed(event);
      case 'entry-posted':
        return this.#entry(event as Stored<EntryPosted>);
      case 'hold-placed':
        return this.#placed(event as Stored<HoldPlaced>);
      case 'hold-released':
        return this.#released(event as Stored<HoldReleased>);
      default:
        return undefined;
    }
  }

  #opened(event: Stored<AccountOpened>): string | undefined {
    const { account, currency } = event.data;
    if (this.accounts.has(account)) return `account ${account} is opened twice`;
    this.accounts.set(account, AccountBook.opened(account, currency));
    return untagged(event, `account:${account}`);
  }

  #closed(event: Stored<AccountClosed>): string | undefined {
    const { account } = event.data;
    const book = this.accounts.get(account);
    if (book === undefined) return this.fromStart ? `account ${account} is closed but was never opened` : undefined;
    book.status = 'CLOSED';
    return untagged(event, `account:${account}`);
  }

  #changed(event: StoredEvent): string | undefined {
    const { account } = event.data as { readonly account: string };
    if (this.fromStart && !this.accounts.has(account)) return `account ${account} was never opened`;
    return untagged(event, `account:${account}`);
  }

  #entry(event: Stored<EntryPosted>): string | undefined {
    const { lines, capture, reverses } = event.data;
    const unbalanced = this.#sumUp(lines);
    if (unbalanced !== undefined) return unbalanced;
    for (const line of lines) {
      const book = this.#account(line.account, line.currency);
      if (typeof book === 'string') return book;
      const wrong = book.post(line) ?? untagged(event, `account:${line.account}`);
      if (wrong !== undefined) return wrong;
    }
    if (reverses !== undefined) {
      const wrong = untagged(event, `posting:${reverses}`);
      if (wrong !== undefined) return wrong;
    }
    return capture === undefined ? undefined : this.#capture(event, capture);
  }

  #sumUp(lines: EntryPosted['data']['lines']): string | undefined {
    const sums = new Map<string, bigint>();
    for (const { currency, side, amount } of lines) {
      const signed = side === 'credit' ? BigInt(amount) : -BigInt(amount);
      sums.set(currency, (sums.get(currency) ?? 0n) + signed);
    }
    for (const [currency, sum] of sums) {
      if (sum !== 0n) return `debits and credits in ${currency} differ by ${sum < 0n ? -sum : sum}`;
      this.#totals.set(currency, (this.#totals.get(currency) ?? 0n) + sum);
    }
    return undefined;
  }

  #capture(event: Stored<EntryPosted>, capture: Capture): string | undefined {
    const debited = event.data.lines.some(
      (line) => line.account === capture.account && line.side === 'debit' && line.amount === capture.amount,
    );
    if (!debited) return `the entry captures hold ${capture.hold} but does not debit its account by that amount`;
    return this.#take(capture) ?? untagged(event, `hold:${capture.hold}`);
  }

  #placed(event: Stored<HoldPlaced>): string | undefined {
    const { hold, account, currency, type, amount } = event.data;
    if (this.#holds.has(hold)) return `hold ${hold} is placed twice`;
    const book = this.#account(account, currency);
    if (typeof book === 'string') return book;
    this.#holds.set(hold, { account, type, remaining: BigInt(amount) });
    return (
      book.hold(type, BigInt(amount), event.data) ??
      untagged(event, `hold:${hold}`) ??
      untagged(event, `account:${account}`)
    );
  }

  #released(event: Stored<HoldReleased>): string | undefined {
    const { hold, account } = event.data;
    return this.#take(event.data) ?? untagged(event, `hold:${hold}`) ?? untagged(event, `account:${account}`);
  }

  /** A capture or a release: of the hold, and of what its account has on hold. */
  #take(taken: Pick<Capture, 'hold' | 'account' | 'amount' | 'remaining' | 'held' | 'liens'>): string | undefined {
    const hold = this.#holds.get(taken.hold);
    const book = this.accounts.get(taken.account);
    const change = -BigInt(taken.amount);
    if (hold === undefined) {
      if (this.fromStart) return `hold ${taken.hold} is not active`;
      return book?.holdOfUnknownType(change, taken);
    }
    const after = takeFromHold(hold, taken);
    if (typeof after === 'string') return after;
    if (after.remaining === 0n) this.#holds.delete(taken.hold);
    else this.#holds.set(taken.hold, after);
    return book?.hold(hold.type, change, taken);
  }

  #account(id: string, currency: string): AccountBook | string {
    let book = this.accounts.get(id);
    if (book === undefined) {
      if (this.fromStart) return `account ${id} was never opened`;
      book = AccountBook.seen(id, currency);
      this.accounts.set(id, book);
    }
    return book;
  }
}

function untagged(event: StoredEvent, tag: `${string}:${string}`): string | undefined {
  return event.tags.includes(tag) ? undefined : `the event does not carry the tag ${tag}`;
}
