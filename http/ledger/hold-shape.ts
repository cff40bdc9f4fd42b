import { z } from 'zod';
import type { CommittedEvent } from '../../application/commands.js';
import type { HoldView } from '../../application/ports/read-models.js';
import { HOLD_TYPES, type HoldPlaced, type HoldReleased } from '../../domain/ledger/events.js';
import { amountOut } from '../amounts.js';
import { amountShown } from '../schemas.js';
import { EXAMPLE } from './examples.js';

export const HOLD_STATUSES = ['ACTIVE', 'CAPTURED', 'RELEASED', 'EXPIRED'] as const;

/** A lien or hold (9.16). */
export const holdShape = z
  .object({
    holdId: z.string(),
    groupId: z.string().nullable(),
    accountId: z.string(),
    type: z.enum(HOLD_TYPES),
    status: z.enum(HOLD_STATUSES),
    reason: z.string(),
    currencyCode: z.string(),
    amount: amountShown,
    capturedAmount: amountShown,
    releasedAmount: amountShown,
    remainingAmount: amountShown,
    placedAt: z.string(),
    expiresAt: z.string().nullable(),
  })
  .meta({ id: 'Hold' });

export function holdOut(hold: HoldView) {
  const out = (minor: bigint) => amountOut(minor, hold.currency);
  return {
    holdId: hold.holdId,
    groupId: hold.groupId,
    accountId: hold.accountId,
    type: hold.type,
    status: hold.status,
    reason: hold.reason,
    currencyCode: hold.currency,
    amount: out(hold.placed),
    capturedAmount: out(hold.captured),
    releasedAmount: out(hold.released),
    remainingAmount: out(hold.placed - hold.captured - hold.released),
    placedAt: hold.placedAt,
    expiresAt: hold.expiresAt,
  };
}

/** A hold as it was placed, with the account's totals after it. */
export function placedOut(event: CommittedEvent) {
  const data = event.data as HoldPlaced['data'];
  const placed = holdOut({
    holdId: data.hold,
    accountId: data.account,
    currency: data.currency,
    type: data.type,
    status: 'ACTIVE',
    reason: data.reason,
    groupId: data.group ?? null,
    placed: BigInt(data.amount),
    captured: 0n,
    released: 0n,
    placedAt: event.recordedAt,
    expiresAt: data.expiresAt ?? null,
  });
  return { ...placed, ...totalsOut(data, data.currency) };
}

export const totalsShape = { totalHoldAmount: amountShown, totalLienAmount: amountShown };

/** A hold with its account's totals, as commands answer it. */
export const holdWithTotals = holdShape.extend(totalsShape);
export const TOTALS_EXAMPLE = { totalHoldAmount: 100, totalLienAmount: 0 };

/** The account's holds and liens after the event. */
export function totalsOut(data: { held: string; liens: string }, currency: string) {
  return { totalHoldAmount: amountOut(data.held, currency), totalLienAmount: amountOut(data.liens, currency) };
}

/** A hold with its new totals, after (part of) it was let go. */
export function releasedOut(hold: HoldView, event: CommittedEvent) {
  const data = event.data as HoldReleased['data'];
  const remaining = BigInt(data.remaining);
  const released = hold.placed - hold.captured - remaining;
  const status = remaining > 0n ? 'ACTIVE' : hold.captured > 0n ? 'CAPTURED' : 'RELEASED';
  return { ...holdOut({ ...hold, released, status }), ...totalsOut(data, hold.currency) };
}

export const HOLD_EXAMPLE = {
  holdId: EXAMPLE.holdId,
  groupId: null,
  accountId: EXAMPLE.accountId,
  type: 'HOLD',
  status: 'ACTIVE',
  reason: 'Card authorisation 8841',
  currencyCode: 'NGN',
  amount: 100,
  capturedAmount: 0,
  releasedAmount: 0,
  remainingAmount: 100,
  placedAt: EXAMPLE.at,
  expiresAt: null,
};
