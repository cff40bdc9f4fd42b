import { z } from 'zod';
import { POST_INSTRUCTION, keyOf, requestHash } from '../../application/idempotency.js';
import type { PostingInstruction } from '../../domain/ledger/commands.js';
import { type Findings, amountIn } from '../amounts.js';
import type { Call } from '../endpoint.js';
import { renamed } from '../request-body.js';
import { accountNumber, amount, currencyCode, dateIn, narration } from '../schemas.js';

export const MAX_INSTRUCTIONS = 1000;
export const MAX_COUNTERPARTIES = 500;

const DIRECTIONS = {
  DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT: 'debit-primary',
  CREDIT_PRIMARY_ACCOUNT_DEBIT_COUNTERPARTY_ACCOUNT: 'credit-primary',
} as const;

const counterparty = z
  .strictObject({ accountNumber, currencyCode, amount, narration: narration.optional() })
  .meta({ id: 'CounterParty' });

const instruction = z
  .strictObject({
    primaryAccountNumber: accountNumber,
    currencyCode,
    creditDebitInstructionDirection: z.enum([
      'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
      'CREDIT_PRIMARY_ACCOUNT_DEBIT_COUNTERPARTY_ACCOUNT',
    ]),
    counterParties: z.array(counterparty).min(1).max(MAX_COUNTERPARTIES),
    instructionIdempotencykey: z.string().min(1).max(255),
    insufficientFundHandler: z
      .strictObject({
        insufficientFundAuthorizationMode: z.enum(['ON_AVAILABLE_BALANCE', 'FORCE_ON_UNARRANGED_OVERDRAFT']).optional(),
        overDraftFundOriginatingAccountNumberId: z.string().min(1).max(64).optional(),
      })
      .optional(),
    narration: narration.optional(),
    paymentReference: narration.optional(),
    valueDate: dateIn.optional(),
  })
  .meta({ id: 'PostingInstruction' });
type Instruction = z.output<typeof instruction>;

/** The body of post-account: one commit's worth of instructions. */
export const instructions = z.array(instruction).min(1).max(MAX_INSTRUCTIONS);
const SPELLINGS = { instructionIdempotencyKey: 'instructionIdempotencykey', counterparties: 'counterParties' };
const HANDLER_SPELLINGS = {
  overdraftFundOriginatingAccountNumberId: 'overDraftFundOriginatingAccountNumberId',
  overdraftFundOriginatingAccountId: 'overDraftFundOriginatingAccountNumberId',
};

/** The bare array, or `{ "accountPostings": […] }`; clean spellings of the members are understood. */
export function normaliseInstructions(value: unknown): unknown {
  let items = value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const names = Object.keys(value);
    items = names.length === 1 && 'accountPostings' in value ? value.accountPostings : value;
  }
  if (!Array.isArray(items)) return items;
  return items.map((item: unknown) => {
    const clean = renamed(item, SPELLINGS);
    if (typeof clean !== 'object' || clean === null || !('insufficientFundHandler' in clean)) return clean;
    const handler = renamed(clean.insufficientFundHandler, HANDLER_SPELLINGS);
    return handler === clean.insufficientFundHandler ? clean : { ...clean, insufficientFundHandler: handler };
  });
}

/** An instruction of the wire as the domain knows it; what is wrong with its amounts goes to `findings`. */
export function instructionIn(item: Instruction, index: number, call: Call, findings: Findings): PostingInstruction {
  const { tenantId, subject } = call.caller;
  const { insufficientFundHandler: handler, instructionIdempotencykey: text } = item;
  const counterparties = item.counterParties.map((party, at) => {
    const { narration } = party;
    const amount = amountIn(party.amount, party.currencyCode, `${index}.counterParties.${at}.amount`, findings);
    const counterparty = { number: party.accountNumber, currency: party.currencyCode, amount };
    return narration === undefined ? counterparty : { ...counterparty, narration };
  });
  const key = { text, id: keyOf(tenantId, POST_INSTRUCTION, text), requestHash: '' };
  // Members one by one: this is on the way of every posting, and each spread costs as much as the rest of it.
  const wanted: { -readonly [K in keyof PostingInstruction]: PostingInstruction[K] } = {
    primaryNumber: item.primaryAccountNumber,
    currency: item.currencyCode,
    direction: DIRECTIONS[item.creditDebitInstructionDirection],
    counterparties,
    key,
  };
  if (item.narration !== undefined) wanted.narration = item.narration;
  if (item.paymentReference !== undefined) wanted.reference = item.paymentReference;
  if (item.valueDate !== undefined) wanted.valueDate = item.valueDate;
  if (handler?.insufficientFundAuthorizationMode === 'FORCE_ON_UNARRANGED_OVERDRAFT') wanted.force = true;
  const overdraftFrom = handler?.overDraftFundOriginatingAccountNumberId;
  if (overdraftFrom !== undefined) wanted.overdraftFrom = overdraftFrom;
  key.requestHash = requestHash(subject, canonical(wanted));
  return wanted;
}

/** What an instruction means, whatever its spelling: `"10.00"` and `10` are one amount. */
function canonical(wanted: Omit<PostingInstruction, 'key'>): string {
  const { primaryNumber, currency, direction, narration, reference, valueDate, force, overdraftFrom } = wanted;
  const parts: Array<string | boolean | undefined> = [
    primaryNumber,
    currency,
    direction,
    narration,
    reference,
    valueDate,
    force,
    overdraftFrom,
  ];
  for (const party of wanted.counterparties)
    parts.push(party.number, party.currency, party.amount.toString(), party.narration);
  return JSON.stringify(parts);
}
