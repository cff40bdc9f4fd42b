import { tagOf } from '../aggregates.js';
import type { DecisionContext, EventDraft } from '../shared/decider.js';
import type { Tag } from '../shared/event.js';
import { MAX_LINES_PER_ENTRY } from '../shared/ids.js';
import { MAX_AMOUNT_MINOR, MAX_BALANCE_MINOR, formatAmount } from '../shared/money.js';
import { type Refusal, refuse } from '../shared/refusal.js';
import { type AccountState, floorOf, normalBalance } from './account.js';
import { isOutOfSight } from './guards.js';
import type { EntryKind, EntryPosted, Line } from './events.js';

/** A line before the account's balance is known. */
export interface LineDraft {
  readonly account: string;
  readonly currency: string;
  readonly side: 'debit' | 'credit';
  /** Minor units, positive. */
  readonly amount: bigint;
  readonly narration?: string | undefined;
}

export interface EntryDraft {
  readonly kind: EntryKind;
  readonly lines: readonly LineDraft[];
  readonly valueDate?: string | undefined;
  readonly narration?: string | undefined;
  readonly reference?: string | undefined;
  readonly instructionKey?: string | undefined;
  /** Pass the floors of the debited accounts (unarranged overdraft); needs `authorised`. */
  readonly force?: boolean | undefined;
  readonly rate?: string | undefined;
  readonly reverses?: string | undefined;
  /** Part of the entry that was on hold: its amount does not count as held any more. */
  readonly capture?:
    | {
        readonly hold: string;
        readonly account: string;
        readonly amount: bigint;
        readonly held: bigint;
        readonly liens: bigint;
        readonly remaining: bigint;
      }
    | undefined;
  readonly key?: EventDraft['key'];
  /** A mirror entry by staff is not stopped by the permission of an account, only by its state. */
  readonly ignorePermission?: boolean;
  /** By a command of the loan: only these move the receivables of a loan, which must equal what it computes. */
  readonly ofLoan?: boolean;
}

/** Value dates may lie this far ahead of the recording day. */
export const MAX_VALUE_DATE_AHEAD_DAYS = 366;
export const EARLIEST_VALUE_DATE = '1900-01-01';

interface Touched {
  readonly state: AccountState;
  ledger: bigint;
  sequence: number;
}

/**
 * Posts one entry: checks every account, that debits equal credits in each currency, that no constrained account
 * passes its floor or ceiling (after the whole entry, not line by line), and emits `entry-posted` with the balance
 * after each line. Emits nothing when it refuses.
 */
export function postEntry(draft: EntryDraft, context: DecisionContext): EntryPosted | Refusal {
  const { lines } = draft;
  if (lines.length < 2) return refuse('unbalanced', 'an entry has at least two lines');
  if (lines.length > MAX_LINES_PER_ENTRY) {
    return refuse('too-many-lines', `an entry has at most ${MAX_LINES_PER_ENTRY} lines`);
  }
  const valueDate = draft.valueDate ?? context.today;
  const dateRefusal = checkValueDate(valueDate, context.today);
  if (dateRefusal !== undefined) return dateRefusal;

  const touched = new Map<string, Touched>();
  const posted: Line[] = [];
  for (const line of lines) {
    if (line.amount <= 0n || line.amount > MAX_AMOUNT_MINOR) {
      return refuse('amount-out-of-range', 'a line needs a positive amount within the limits');
    }
    let account = touched.get(line.account);
    if (account === undefined) {
      const state = context.state('account', line.account);
      if (isOutOfSight(state, context)) return accountNotFound(line);
      account = { state, ledger: state.ledger, sequence: state.sequence };
      touched.set(line.account, account);
    }
    const unusable = checkUsable(account.state, line, draft);
    if (unusable !== undefined) return unusable;
    account.ledger += line.side === 'credit' ? line.amount : -line.amount;
    account.sequence += 1;
    const own: Line = {
      account: line.account,
      currency: line.currency,
      side: line.side,
      amount: line.amount.toString(),
      balance: account.ledger.toString(),
      sequence: account.sequence,
    };
    if (line.narration !== undefined) own.narration = line.narration;
    posted.push(own);
  }
  const unbalanced = checkBalanced(lines);
  if (unbalanced !== undefined) return unbalanced;
  for (const [id, account] of touched) {
    const refusal = checkLimits(id, account, draft);
    if (refusal !== undefined) return refusal;
  }

  const tags: Tag[] = [];
  for (const id of touched.keys()) tags.push(tagOf('account', id));
  if (draft.reverses !== undefined) tags.push(tagOf('posting', draft.reverses));
  if (draft.capture !== undefined) tags.push(tagOf('hold', draft.capture.hold));
  const data = entryData(draft, posted, valueDate);
  const { key } = draft;
  return context.emit({ type: 'entry-posted', version: 1, data, tags, effectiveAt: valueDate, key }) as EntryPosted;
}

/** The members in the order in which they are hashed. Set one by one: this is on the way of every posting, spreads cost more. */
function entryData(draft: EntryDraft, lines: Line[], valueDate: string): EntryPosted['data'] {
  const data: EntryPosted['data'] = { kind: draft.kind, lines, valueDate };
  if (draft.narration !== undefined) data.narration = draft.narration;
  if (draft.reference !== undefined) data.reference = draft.reference;
  if (draft.instructionKey !== undefined) data.instructionKey = draft.instructionKey;
  if (draft.force === true) data.forced = true;
  if (draft.rate !== undefined) data.rate = draft.rate;
  if (draft.reverses !== undefined) data.reverses = draft.reverses;
  if (draft.capture !== undefined) data.capture = captureData(draft.capture);
  return data;
}

function captureData(capture: NonNullable<EntryDraft['capture']>) {
  return {
    hold: capture.hold,
    account: capture.account,
    amount: capture.amount.toString(),
    held: capture.held.toString(),
    liens: capture.liens.toString(),
    remaining: capture.remaining.toString(),
  };
}

/** Pair assertion: what is checked here is checked again where the entry is projected. */
export function checkBalanced(
  lines: ReadonlyArray<Pick<LineDraft, 'currency' | 'side' | 'amount'>>,
): Refusal | undefined {
  const [first, second] = lines;
  if (lines.length === 2 && first !== undefined && second !== undefined && first.currency === second.currency) {
    return first.amount === second.amount && first.side !== second.side ? undefined : unbalancedIn(first.currency);
  }
  const sums = new Map<string, bigint>();
  for (const line of lines) {
    const signed = line.side === 'credit' ? line.amount : -line.amount;
    sums.set(line.currency, (sums.get(line.currency) ?? 0n) + signed);
  }
  for (const [currency, sum] of sums) if (sum !== 0n) return unbalancedIn(currency);
  return undefined;
}

function unbalancedIn(currency: string): Refusal {
  return refuse('unbalanced', `debits and credits in ${currency} differ`, { details: { currency } });
}

const accountNotFound = (line: LineDraft): Refusal =>
  refuse('account-not-found', 'Account Not Found', { details: { account: line.account } });

function checkUsable(account: AccountState, line: LineDraft, draft: EntryDraft): Refusal | undefined {
  if (account.status === 'NONE') return accountNotFound(line);
  if (account.status !== 'ACTIVATED') return refuse('account-not-activated', `account ${account.number} is closed`);
  if (account.currency !== line.currency) {
    return refuse('currency-mismatch', `account ${account.number} is in ${account.currency}, not ${line.currency}`);
  }
  if (account.frozen === 'ALL' || (account.frozen === 'DEBIT' && line.side === 'debit')) {
    return refuse('account-frozen', `account ${account.number} is frozen`);
  }
  const { permission } = account;
  const allowed = line.side === 'debit' ? 'DEBIT_ONLY' : 'CREDIT_ONLY';
  if (permission !== 'FULL_ACCESS' && permission !== allowed && draft.ignorePermission !== true) {
    return refuse('account-permission-denied', `account ${account.number} does not permit a ${line.side}`);
  }
  if (account.product === 'LOAN_RECEIVABLE' && account.systemRole !== undefined && draft.ofLoan !== true) {
    return refuse('account-permission-denied', `account ${account.number} changes with its loan only`);
  }
  return undefined;
}

function checkLimits(id: string, account: Touched, draft: EntryDraft): Refusal | undefined {
  const { state, ledger } = account;
  if (ledger > MAX_BALANCE_MINOR || ledger < -MAX_BALANCE_MINOR) {
    return refuse('amount-out-of-range', `account ${state.number} would pass the largest balance`);
  }
  const before = normalBalance(state);
  const after = normalBalance(state, ledger);
  const floor = floorOf(state);
  if (after < before && floor !== undefined && draft.force !== true) {
    const captured = draft.capture !== undefined && draft.capture.account === id ? draft.capture.amount : 0n;
    const blocked = state.held + state.liens - captured;
    if (after - blocked < floor) {
      return refuse('insufficient-funds', `insufficient funds in account ${state.number}`, {
        details: {
          accountNumber: state.number,
          available: formatAmount(before - blocked - floor, state.currency),
          required: formatAmount(before - after, state.currency),
          currencyCode: state.currency,
        },
      });
    }
  }
  if (after > before && state.maximumBalance !== undefined && after > state.maximumBalance) {
    return refuse('balance-above-maximum', `account ${state.number} would pass its maximum balance`);
  }
  return undefined;
}

let checkedDate = '';
let checkedAgainst = '';

function checkValueDate(valueDate: string, today: string): Refusal | undefined {
  // Most entries of a batch share one date: remember the last good pair.
  if (valueDate === today || (valueDate === checkedDate && today === checkedAgainst)) return undefined;
  const parsed = Date.parse(`${valueDate}T00:00:00Z`);
  const latest = Date.parse(`${today}T00:00:00Z`) + MAX_VALUE_DATE_AHEAD_DAYS * 86_400_000;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(valueDate) || Number.isNaN(parsed) || isoDate(parsed) !== valueDate) {
    return refuse('value-date-out-of-range', 'the value date is not a date', { field: 'valueDate' });
  }
  if (valueDate < EARLIEST_VALUE_DATE || parsed > latest) {
    return refuse(
      'value-date-out-of-range',
      `the value date must lie between ${EARLIEST_VALUE_DATE} and ${MAX_VALUE_DATE_AHEAD_DAYS} days from today`,
      { field: 'valueDate' },
    );
  }
  checkedDate = valueDate;
  checkedAgainst = today;
  return undefined;
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
