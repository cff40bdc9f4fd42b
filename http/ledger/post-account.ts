import { z } from 'zod';
import type { CommittedEvent } from '../../application/commands.js';
import type { PostingInstruction } from '../../domain/ledger/commands.js';
import { Findings } from '../amounts.js';
import { acceptedOr, askedBy, isFailure, transientFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { RawJson } from '../json.js';
import { ERROR_CODES, type Failure } from '../problem.js';
import { EXAMPLE } from './examples.js';
import { POSTING_EXAMPLE, postedEvents, postingShape, postingText } from './entry-shape.js';
import { instructionIn, instructions, normaliseInstructions } from './posting-instruction.js';

const query = z.object({
  mode: z.enum(['atomic', 'independent']).default('atomic').meta({
    description:
      '`atomic`: all instructions or none. `independent`: each is a commit of its own, with a result of its own.',
  }),
});

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
        const transient = transientFailure(error, call.services.isOutage);
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
  body: instructions,
  unknownMembers: 'refuse',
  normalise: normaliseInstructions,
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
    const wanted = call.body.map((item, index) => instructionIn(item, index, call, findings));
    findings.throwIfAny();
    return call.query.mode === 'independent' ? postIndependently(call, wanted) : postTogether(call, wanted);
  },
});
