import { z } from 'zod';
import type { CommittedEvent } from '../../application/commands.js';
import type { EntryLineView } from '../../application/ports/read-models.js';
import type { EntryPosted } from '../../domain/ledger/events.js';
import { lineIdOf } from '../../domain/shared/ids.js';
import { formatAmount } from '../../domain/shared/money.js';
import { amountOut } from '../amounts.js';
import { amountShown } from '../schemas.js';
import { EXAMPLE } from './examples.js';

/** The ledger entry of ledger-lending-investment.md 2.8. `depositorFullName` is left out: names are not in the book. */
export const entryShape = z
  .object({
    transactionId: z.string(),
    transactionAmount: amountShown,
    currencyCode: z.string(),
    ledgerType: z.enum(['DEBIT', 'CREDIT']),
    status: z.enum(['PENDING', 'PAID', 'FAILED', 'REVERSED']),
    previousAccountBalance: amountShown,
    newBalance: amountShown,
    accountId: z.string(),
    idempotencyKey: z.string().nullable(),
    externalCorrelationId: z.string(),
    internalCorrelationId: z.string(),
    postingGroupId: z.string(),
    executionDate: z.string(),
    valueDate: z.string(),
    paymentReference: z.string().nullable(),
    narration: z.string().nullable(),
    actionPerformedByUser: z.string(),
  })
  .meta({ id: 'LedgerEntry' });

/** A line as the read model knows it. */
export function entryOut(line: EntryLineView) {
  const { currency } = line;
  return {
    transactionId: line.lineId,
    transactionAmount: amountOut(line.amount, currency),
    currencyCode: currency,
    ledgerType: line.side === 'debit' ? 'DEBIT' : 'CREDIT',
    status: line.reversedBy === null ? 'PAID' : 'REVERSED',
    previousAccountBalance: amountOut(line.balanceBefore, currency),
    newBalance: amountOut(line.balanceAfter, currency),
    accountId: line.accountId,
    idempotencyKey: line.instructionKey,
    externalCorrelationId: line.correlationId,
    internalCorrelationId: line.entryId,
    postingGroupId: line.entryId,
    executionDate: line.recordedAt,
    valueDate: line.valueDate,
    paymentReference: line.reference,
    narration: line.narration,
    actionPerformedByUser: line.actor,
  };
}

/**
 * The lines of a posted entry as JSON text, made from its event alone. Written by hand: it is most of what the busiest
 * endpoint does, and the same through objects and JSON.stringify takes five times as long. The tests hold it against the schema.
 */
function entriesText(event: CommittedEvent): string {
  const { id, recordedAt, effectiveAt, meta } = event;
  const data = event.data as EntryPosted['data'];
  const tail =
    `"idempotencyKey":${text(data.instructionKey)},"externalCorrelationId":${text(meta['correlation'])}` +
    `,"internalCorrelationId":"${id}","postingGroupId":"${id}","executionDate":"${recordedAt}","valueDate":"${effectiveAt}"` +
    `,"paymentReference":${text(data.reference)},"actionPerformedByUser":${text(meta['actor'])}}`;
  let out = '';
  for (let index = 0; index < data.lines.length; index += 1) {
    const line = data.lines[index];
    if (line === undefined) continue;
    const { currency, side, account } = line;
    const amount = BigInt(line.amount);
    const after = BigInt(line.balance);
    const before = side === 'credit' ? after - amount : after + amount;
    out +=
      `${index === 0 ? '' : ','}{"transactionId":"${lineIdOf(id, index)}","transactionAmount":${formatAmount(amount, currency)}` +
      `,"currencyCode":"${currency}","ledgerType":"${side === 'debit' ? 'DEBIT' : 'CREDIT'}","status":"PAID"` +
      `,"previousAccountBalance":${formatAmount(before, currency)},"newBalance":${formatAmount(after, currency)}` +
      `,"accountId":"${account}","narration":${text(line.narration ?? data.narration)},${tail}`;
  }
  return out;
}

const text = (value: string | undefined): string => (value === undefined ? 'null' : JSON.stringify(value));

/** One posting: its id and its lines (9.2). */
export const postingShape = z
  .object({
    postingGroupId: z.string(),
    kind: z.enum(['posting', 'journal', 'fx', 'capture', 'reversal']),
    instructionIdempotencykey: z.string().nullable(),
    status: z.enum(['PAID', 'REVERSED', 'FAILED']),
    replayed: z.boolean(),
    valueDate: z.string(),
    reverses: z.string().nullable().meta({ description: 'The posting that this one reverses' }),
    rate: z.string().nullable().meta({ description: 'Exchange rate of an FX posting' }),
    entries: z.array(entryShape),
  })
  .meta({ id: 'Posting' });

/** A posted entry in that shape, as JSON text. Decimals are written with all their digits. */
export function postingText(event: CommittedEvent): string {
  const data = event.data as EntryPosted['data'];
  return (
    `{"postingGroupId":"${event.id}","kind":"${data.kind}","instructionIdempotencykey":${text(data.instructionKey)}` +
    `,"status":"PAID","replayed":${event.replayed === true},"valueDate":"${data.valueDate}","reverses":${text(data.reverses)}` +
    `,"rate":${text(data.rate)},"entries":[${entriesText(event)}]}`
  );
}

/** The entries among a commit's events, oldest first. */
export function postedEvents(events: readonly CommittedEvent[]): CommittedEvent[] {
  return events.filter((event) => event.type === 'entry-posted');
}

export const ENTRY_EXAMPLE = {
  transactionId: `${EXAMPLE.entryId.slice(0, 32)}0001`,
  transactionAmount: 1000,
  currencyCode: 'NGN',
  ledgerType: 'DEBIT',
  status: 'PAID',
  previousAccountBalance: 2500,
  newBalance: 1500,
  accountId: EXAMPLE.accountId,
  idempotencyKey: EXAMPLE.instructionKey,
  externalCorrelationId: EXAMPLE.interactionId,
  internalCorrelationId: EXAMPLE.entryId,
  postingGroupId: EXAMPLE.entryId,
  executionDate: EXAMPLE.at,
  valueDate: EXAMPLE.date,
  paymentReference: null,
  narration: 'School fees',
  actionPerformedByUser: `token:${EXAMPLE.tokenId}`,
};

const CREDIT_EXAMPLE = {
  ...ENTRY_EXAMPLE,
  transactionId: `${EXAMPLE.entryId.slice(0, 32)}0002`,
  ledgerType: 'CREDIT',
  previousAccountBalance: 0,
  newBalance: 1000,
  accountId: EXAMPLE.counterpartyId,
};

export const POSTING_EXAMPLE = {
  postingGroupId: EXAMPLE.entryId,
  kind: 'posting',
  instructionIdempotencykey: EXAMPLE.instructionKey,
  status: 'PAID',
  replayed: false,
  valueDate: EXAMPLE.date,
  reverses: null,
  rate: null,
  entries: [ENTRY_EXAMPLE, CREDIT_EXAMPLE],
};
