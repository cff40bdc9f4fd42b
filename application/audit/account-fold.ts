import type { AccountOpened, EntryPosted, HoldPlaced, HoldReleased, LedgerEvent } from '../../domain/ledger/events.js';
import type { DomainEvent } from '../../domain/shared/event.js';
import { AccountBook } from './account-book.js';

export interface AppliedToAccount {
  /** The account after the event (the same object as before); undefined while the account is not known. */
  readonly book: AccountBook | undefined;
  readonly problem?: string | undefined;
}

/**
 * One step of the fold of one account from its own events alone, summing amounts up again. Without a book before, an
 * account that is not opened by this event is taken up in the middle.
 */
export function applyToAccount(book: AccountBook | undefined, event: DomainEvent, id: string): AppliedToAccount {
  const { type } = event;
  switch (type as LedgerEvent['type']) {
    case 'account-opened': {
      const { account, currency } = (event as AccountOpened).data;
      if (account !== id) return { book };
      return { book: AccountBook.opened(id, currency), problem: book === undefined ? undefined : 'it is opened twice' };
    }
    case 'account-closed':
      if (book !== undefined && (event as { data: { account: string } }).data.account === id) book.status = 'CLOSED';
      return { book };
    case 'entry-posted':
      return applyEntry(book, event as EntryPosted, id);
    case 'hold-placed': {
      const { data } = event as HoldPlaced;
      if (data.account !== id) return { book };
      const known = book ?? AccountBook.seen(id, data.currency);
      return { book: known, problem: known.hold(data.type, BigInt(data.amount), data) };
    }
    case 'hold-released': {
      const { data } = event as HoldReleased;
      if (data.account !== id || book === undefined) return { book };
      return { book, problem: book.holdOfUnknownType(-BigInt(data.amount), data) };
    }
    case 'account-frozen':
    case 'account-unfrozen':
    case 'account-permission-changed':
    case 'account-limits-changed':
      return { book };
    default:
      return { book };
  }
}

function applyEntry(before: AccountBook | undefined, event: EntryPosted, id: string): AppliedToAccount {
  const { lines, capture } = event.data;
  let book = before;
  for (const line of lines) {
    if (line.account !== id) continue;
    book ??= AccountBook.seen(id, line.currency);
    const problem = book.post(line);
    if (problem !== undefined) return { book, problem };
  }
  if (capture === undefined || capture.account !== id || book === undefined) return { book };
  return { book, problem: book.holdOfUnknownType(-BigInt(capture.amount), capture) };
}
