import { z } from 'zod';
import type { CommittedEvent } from '../../application/commands.js';
import { POST_INSTRUCTION, keyOf, requestHash } from '../../application/idempotency.js';
import type { PostingInstruction } from '../../domain/ledger/commands.js';
import { Findings, amountIn } from '../amounts.js';
import { acceptedOr, askedBy, isFailure, transientFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { RawJson } from '../json.js';
import { ERROR_CODES, type Failure } from '../problem.js';
import { renamed } from '../request-body.js';
import { accountNumber, amount, currencyCode, dateIn, narration } from '../schemas.js';
import { EXAMPLE } from './examples.js';
import { POSTING_EXAMPLE, postedEvents, postingShape, postingText } from './entry-shape.js';

export const MAX_INSTRUCTIONS = 1000;
export const MAX_COUNTERPARTIES = 500;

const DIRECTIONS = {
  DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT: 'debit-primary',
  CREDIT_PRIMARY_ACCOUNT_DEBIT_COUNTERPARTY_ACCOUNT: 'credit-primary',
} as const;

export const counterparty = z
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

const body = z.array(instruction).min(1).max(MAX_INSTRUCTIONS);
const query = z.object({
  mode: z.enum(['atomic', 'independent']).default('atomic').meta({
    description:
      '`atomic`: all instructions or none. `independent`: each is a commit of its own, with a result of its own.',
  }),
});

const SPELLINGS = { instructionIdempotencyKey: 'instructionIdempotencykey', counterparties: 'counterParties' };
const HANDLER_SPELLINGS = {
  overdraftFundOriginatingAccountNumberId: 'overDraftFundOriginatingAccountNumberId',
  overdraftFundOriginatingAccountId: 'overDraftFundOriginatingAccountNumberId',
};

/** The bare array, or `{ "accountPostings": […] }`; clean spellings of the members are understood. */
function normalise(value: unknown): unknown {
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

function instructionIn(item: Instruction, index: number, call: Call, findings: Findings): PostingInstruction {
  const { tenantId, subject } = call.caller;
  const { insufficientFundHandler: handler, instructionIdempotencykey: text } = item;
  const counterparties = item.counterParties.map((party, at) => ({
    number: party.accountNumber,
    currency: party.currencyCode,
    amount: amountIn(party.amount, party.currencyCode, `${index}.counterParties.${at}.amount`, findings),
    ...(party.narration === undefined ? {} : { narration: party.narration }),
  }));
  const overdraftFrom = handler?.overDraftFundOriginatingAccountNumberId;
  const wanted = {
    primaryNumber: item.primaryAccountNumber,
    currency: item.currencyCode,
    direction: DIRECTIONS[item.creditDebitInstructionDirection],
    counterparties,
    ...(item.narration === undefined ? {} : { narration: item.narration }),
    ...(item.paymentReference === undefined ? {} : { reference: item.paymentReference }),
    ...(item.valueDate === undefined ? {} : { valueDate: item.valueDate }),
    ...(handler?.insufficientFundAuthorizationMode === 'FORCE_ON_UNARRANGED_OVERDRAFT' ? { force: true } : {}),
    ...(overdraftFrom === undefined ? {} : { overdraftFrom }),
  };
  const key = {
    text,
    id: keyOf(tenantId, POST_INSTRUCTION, text),
    requestHash: requestHash(subject, canonical(wanted)),
  };
  return { ...wanted, key };
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

function postingsJson(events: readonly CommittedEvent[]): RawJson {
  let text = '';
  for (const event of postedEvents(events)) text += (text === '' ? '' : ',') + postingText(event);
  return new RawJson(`[${text}]`);
}

async function postTogether(call: Call, instructions: readonly PostingInstruction[]): Promise<Answer | Failure> {
  const outcome = await call.services.bus.execute({
    ...askedBy(call),
    name: 'post-entries',
    payload: { instructions },
  });
  const done = acceptedOr(outcome, call);
  if (isFailure(done)) return done;
  const { events, position, replayed } = done;
  return { kind: 'answer', message: 'Posted', data: postingsJson(events), position, replayed };
}

/** Each instruction by itself; one that fails says why in its place and stops no other. */
async function postIndependently(call: Call, instructions: readonly PostingInstruction[]): Promise<Answer> {
  const { bus } = call.services;
  const results = await Promise.all(
    instructions.map(async (one, index) => {
      const asked = askedBy(call, call.caller.tenantId, `#${index}`);
      try {
        const outcome = await bus.execute({ ...asked, name: 'post-entries', payload: { instructions: [one] } });
        const done = acceptedOr(outcome, call);
        return isFailure(done) ? failedPosting(one, done) : postedEvents(done.events).map(postingText).join();
      } catch (error) {
        const transient = transientFailure(error);
        if (transient === undefined) throw error;
        return failedPosting(one, transient);
      }
    }),
  );
  const position = call.services.positions.get(call.caller.tenantId);
  return {
    kind: 'answer',
    message: 'Each instruction has its own result',
    data: new RawJson(`[${results.join()}]`),
    ...(position === undefined ? {} : { position }),
  };
}

function failedPosting(one: PostingInstruction, reason: Failure): string {
  return JSON.stringify({
    postingGroupId: null,
    instructionIdempotencykey: one.key.text,
    status: 'FAILED',
    replayed: reason.headers.includes('Idempotency-Replayed'),
    errorCode: reason.errorCode,
    message: reason.message,
    errors: reason.errors,
    retryable: ERROR_CODES[reason.errorCode].retryable,
    entries: [],
  });
}

const failedShape = z.object({
  postingGroupId: z.null(),
  instructionIdempotencykey: z.string(),
  status: z.literal('FAILED'),
  replayed: z.boolean(),
  errorCode: z.string(),
  message: z.string(),
  errors: z.array(z.unknown()),
  retryable: z.boolean(),
  entries: z.array(z.unknown()),
});

export const postAccount = defineEndpoint({
  id: 'post-account',
  group: 'ledger',
  title: 'Post to account',
  description:
    'Debits one account and credits one or more others, or the reverse; the primary amount is the sum of the counterparties. ' +
    'The whole array is atomic: all instructions are posted in one commit, or none is. ' +
    'Each instruction takes effect once per `instructionIdempotencykey`. `FORCE_ON_UNARRANGED_OVERDRAFT` needs CASHIER or MANAGER.',
  method: 'POST',
  path: '/api/v6/services/gateway/post-account',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  query,
  body,
  unknownMembers: 'refuse',
  normalise,
  requestExamples: {
    transfer: {
      body: [
        {
          primaryAccountNumber: EXAMPLE.accountNumber,
          currencyCode: 'NGN',
          creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
          counterParties: [
            { accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN', amount: 1000, narration: 'School fees' },
          ],
          instructionIdempotencykey: EXAMPLE.instructionKey,
          insufficientFundHandler: { insufficientFundAuthorizationMode: 'ON_AVAILABLE_BALANCE' },
        },
      ],
    },
    wrapped: {
      query: { mode: 'independent' },
      body: {
        accountPostings: [
          {
            primaryAccountNumber: EXAMPLE.accountNumber,
            currencyCode: 'NGN',
            creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
            counterParties: [{ accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN', amount: '24.240' }],
            instructionIdempotencykey: 'b1946ac9-2f0e-4d6a-8d11-6f1c6f0f7a55',
          },
        ],
      },
    },
  },
  success: {
    status: 200,
    description: 'The postings, in the order of the instructions',
    data: z.array(z.union([postingShape, failedShape])),
    example: [POSTING_EXAMPLE],
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'CURRENCY_MISMATCH', 'INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED'],
  handler(call) {
    const findings = new Findings();
    const instructions = call.body.map((item, index) => instructionIn(item, index, call, findings));
    findings.throwIfAny();
    return call.query.mode === 'independent' ? postIndependently(call, instructions) : postTogether(call, instructions);
  },
});
