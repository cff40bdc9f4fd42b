import { tagOf } from '../aggregates.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { formatAmount, MAX_AMOUNT_MINOR } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { type AccountState, rememberedAccountId, spendable } from './account.js';
import type { CaptureHold, ExpireHold, PlaceHolds, ReleaseHold, ReleaseHoldGroup } from './commands.js';
import { type LineDraft, postEntry } from './entry.js';
import { checkTenant, isOutOfSight, openAccountState } from './guards.js';
import { type HoldState, remainingOf } from './hold.js';
import { nameBasedUuid } from '../shared/ids.js';

/** One hold, or several together as a group: all or none. A hold honours the floor just as a debit does. */
export const decidePlaceHolds: Decide<PlaceHolds> = (command, context) => {
  const tenantRefusal = checkTenant(context);
  if (tenantRefusal !== undefined) return tenantRefusal;
  let group: string | undefined;
  for (const hold of command.holds) {
    const account = openAccountState(hold.account, context);
    if (isRefusal(account)) return account;
    const refusal = checkHoldable(hold, account, context);
    if (refusal !== undefined) return refusal;
    const held = account.held + (hold.type === 'HOLD' ? hold.amount : 0n);
    const liens = account.liens + (hold.type === 'LIEN' ? hold.amount : 0n);
    // A hold's id is made before its event: the group's id is the name of its first hold.
    const holdId = context.newId();
    if (command.holds.length > 1) group ??= nameBasedUuid(holdId, 'group');
    context.emit({
      type: 'hold-placed',
      version: 1,
      data: {
        hold: holdId,
        account: hold.account,
        currency: hold.currency,
        amount: hold.amount.toString(),
        type: hold.type,
        reason: hold.reason,
        ...(group === undefined ? {} : { group }),
        ...(hold.expiresAt === undefined ? {} : { expiresAt: instantOf(hold.expiresAt) }),
        held: held.toString(),
        liens: liens.toString(),
      },
      tags: [tagOf('account', hold.account), tagOf('hold', holdId)],
    });
  }
  return undefined;
};

function checkHoldable(
  hold: PlaceHolds['holds'][number],
  account: AccountState,
  context: DecisionContext,
): Refusal | undefined {
  if (account.currency !== hold.currency) {
    return refuse('currency-mismatch', `account ${account.number} is in ${account.currency}, not ${hold.currency}`, {
      field: 'currencyCode',
    });
  }
  if (hold.amount <= 0n || hold.amount > MAX_AMOUNT_MINOR) {
    return refuse('amount-out-of-range', 'a hold needs a positive amount within the limits', { field: 'amount' });
  }
  if (account.frozen !== undefined && hold.type === 'HOLD') {
    return refuse('account-frozen', `account ${account.number} is frozen`);
  }
  if (hold.expiresAt !== undefined) {
    if (hold.type === 'LIEN') return refuse('invalid-argument', 'a lien does not expire', { field: 'expiresAt' });
    if (Number.isNaN(Date.parse(hold.expiresAt))) {
      return refuse('invalid-argument', 'the time of expiry is not an instant', { field: 'expiresAt' });
    }
    if (instantOf(hold.expiresAt) <= context.now) {
      return refuse('invalid-argument', 'the hold would have expired already', { field: 'expiresAt' });
    }
  }
  const available = spendable(account);
  if (available !== undefined && available < hold.amount) {
    return refuse('insufficient-funds', `insufficient funds in account ${account.number}`, {
      details: {
        accountNumber: account.number,
        available: formatAmount(available, account.currency),
        required: formatAmount(hold.amount, account.currency),
        currencyCode: account.currency,
      },
    });
  }
  return undefined;
}

/** ISO 8601 UTC with milliseconds: instants of one form compare as text. */
function instantOf(text: string): string {
  return new Date(Date.parse(text)).toISOString();
}

function activeHold(id: string, context: DecisionContext): HoldState | Refusal {
  const hold = context.state('hold', id);
  if (hold.status === 'NONE' || isOutOfSight(context.state('account', hold.account), context)) {
    return refuse('hold-not-found', 'there is no such hold', { details: { holdId: id } });
  }
  if (hold.status !== 'ACTIVE') {
    return refuse('hold-not-active', `the hold is ${hold.status}`, { details: { holdId: id, status: hold.status } });
  }
  return hold;
}

/** Captures all or part: Dr the held account, Cr the counterparties, and the hold shrinks in the same event. */
export const decideCaptureHold: Decide<CaptureHold> = (command, context) => {
  const tenantRefusal = checkTenant(context);
  if (tenantRefusal !== undefined) return tenantRefusal;
  const hold = activeHold(command.hold, context);
  if (isRefusal(hold)) return hold;
  if (hold.expiresAt !== undefined && hold.expiresAt <= context.now) {
    return refuse('hold-not-active', 'the hold has expired', { details: { holdId: command.hold, status: 'EXPIRED' } });
  }
  const remaining = remainingOf(hold);
  const amount = command.amount ?? sumOfShares(command) ?? remaining;
  if (amount <= 0n) return refuse('amount-out-of-range', 'a capture needs a positive amount', { field: 'amount' });
  if (amount > remaining) {
    return refuse('hold-amount-exceeded', 'more than is on hold cannot be captured', {
      field: 'amount',
      details: { remaining: formatAmount(remaining, hold.currency) },
    });
  }
  const others = captureLines(command, hold, amount, context);
  if (isRefusal(others)) return others;
  const account = context.state('account', hold.account);
  const lien = hold.type === 'LIEN';
  const posted = postEntry(
    {
      kind: 'capture',
      lines: [{ account: hold.account, currency: hold.currency, side: 'debit', amount }, ...others],
      narration: command.narration ?? hold.reason,
      reference: command.reference,
      capture: {
        hold: command.hold,
        account: hold.account,
        amount,
        held: account.held - (lien ? 0n : amount),
        liens: account.liens - (lien ? amount : 0n),
        remaining: remaining - amount,
      },
    },
    context,
  );
  if (isRefusal(posted)) return posted;
  if (command.final === true && amount < remaining) emitRelease(command.hold, remaining - amount, 'released', context);
  return undefined;
};

/** What the counterparties get together, when every one says its amount. */
function sumOfShares({ counterparties }: CaptureHold): bigint | undefined {
  let sum = 0n;
  for (const { amount } of counterparties) {
    if (amount === undefined) return undefined;
    sum += amount;
  }
  return counterparties.length === 0 ? undefined : sum;
}

function captureLines(
  command: CaptureHold,
  hold: HoldState,
  amount: bigint,
  context: DecisionContext,
): LineDraft[] | Refusal {
  const lines: LineDraft[] = [];
  let total = 0n;
  for (const party of command.counterparties) {
    if (party.currency !== hold.currency) {
      return refuse('currency-mismatch', 'a counterparty is in another currency than the hold', {
        field: 'counterParties',
      });
    }
    const share = party.amount ?? (command.counterparties.length === 1 ? amount : 0n);
    total += share;
    lines.push({
      account: rememberedAccountId(context.tenantId, party.number),
      currency: party.currency,
      side: 'credit',
      amount: share,
      narration: party.narration,
    });
  }
  if (total !== amount) {
    return refuse('unbalanced', 'the counterparties do not sum to the captured amount', { field: 'counterParties' });
  }
  return lines;
}

export const decideReleaseHold: Decide<ReleaseHold> = (command, context) => {
  const hold = activeHold(command.hold, context);
  if (isRefusal(hold)) return hold;
  const remaining = remainingOf(hold);
  const amount = command.amount ?? remaining;
  if (amount <= 0n) return refuse('amount-out-of-range', 'a release needs a positive amount', { field: 'amount' });
  if (amount > remaining) {
    return refuse('hold-amount-exceeded', 'more than is on hold cannot be released', {
      field: 'amount',
      details: { remaining: formatAmount(remaining, hold.currency) },
    });
  }
  emitRelease(command.hold, amount, 'released', context);
  return undefined;
};

/** Lets go of all that is still held of a group, in one commit. */
export const decideReleaseHoldGroup: Decide<ReleaseHoldGroup> = (command, context) => {
  let released = 0;
  for (const id of command.holds) {
    const hold = context.state('hold', id);
    if (hold.status !== 'ACTIVE' || hold.group !== command.group) continue;
    if (isOutOfSight(context.state('account', hold.account), context)) continue;
    emitRelease(id, remainingOf(hold), 'released', context);
    released += 1;
  }
  return released > 0
    ? undefined
    : refuse('hold-not-active', 'no hold of this group is active', { details: { groupId: command.group } });
};

export const decideExpireHold: Decide<ExpireHold> = (command, context) => {
  const hold = context.state('hold', command.hold);
  if (hold.status !== 'ACTIVE' || hold.expiresAt === undefined || hold.expiresAt > context.now) return undefined;
  emitRelease(command.hold, remainingOf(hold), 'expired', context);
  return undefined;
};

function emitRelease(id: string, amount: bigint, cause: 'released' | 'expired', context: DecisionContext): void {
  const hold = context.state('hold', id);
  const account = context.state('account', hold.account);
  const lien = hold.type === 'LIEN';
  context.emit({
    type: 'hold-released',
    version: 1,
    data: {
      hold: id,
      account: hold.account,
      amount: amount.toString(),
      cause,
      remaining: (remainingOf(hold) - amount).toString(),
      held: (account.held - (lien ? 0n : amount)).toString(),
      liens: (account.liens - (lien ? amount : 0n)).toString(),
    },
    tags: [tagOf('account', hold.account), tagOf('hold', id)],
  });
}
