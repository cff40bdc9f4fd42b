import { z } from 'zod';
import type { JournalLine } from '../../domain/ledger/commands.js';
import { MAX_LINES_PER_ENTRY } from '../../domain/shared/ids.js';
import { Findings, amountIn } from '../amounts.js';
import { type Accepted, execute, isFailure } from '../commands.js';
import { type Answer, defineEndpoint } from '../endpoint.js';
import { RawJson } from '../json.js';
import { accountNumber, amount, currencyCode, dateIn, narration } from '../schemas.js';
import { EXAMPLE } from './examples.js';
import { POSTING_EXAMPLE, postedEvents, postingShape, postingText } from './entry-shape.js';

/** The answer of a command that posted one entry. */
export function postedAnswer(done: Accepted, message: string): Answer {
  const [posted] = postedEvents(done.events);
  if (posted === undefined) throw new Error('a posting has its event');
  const { position, replayed } = done;
  return { kind: 'answer', message, data: new RawJson(postingText(posted)), position, replayed };
}

const journalLine = z
  .strictObject({
    accountNumber,
    currencyCode,
    ledgerType: z.enum(['DEBIT', 'CREDIT']),
    amount,
    narration: narration.optional(),
  })
  .meta({ id: 'JournalLine' });

export const journalEntries = defineEndpoint({
  id: 'post-journal-entry',
  group: 'ledger',
  title: 'Post a journal entry',
  description: 'One entry with any number of lines; debits must equal credits in each currency.',
  method: 'POST',
  path: '/api/v6/services/ledger/journal-entries',
  aliases: [],
  roles: ['MANAGER', 'CASHIER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  body: z.strictObject({
    lines: z.array(journalLine).min(2).max(MAX_LINES_PER_ENTRY),
    valueDate: dateIn.optional(),
    narration: narration.optional(),
    paymentReference: narration.optional(),
    forceOnUnarrangedOverdraft: z.boolean().optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    fee: {
      body: {
        lines: [
          { accountNumber: EXAMPLE.accountNumber, currencyCode: 'NGN', ledgerType: 'DEBIT', amount: '10.50' },
          { accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN', ledgerType: 'CREDIT', amount: 10 },
          {
            accountNumber: 'SYS-FEE-INCOME-NGN',
            currencyCode: 'NGN',
            ledgerType: 'CREDIT',
            amount: 0.5,
            narration: 'Fee',
          },
        ],
        narration: 'Transfer with fee',
        paymentReference: 'INV-2041',
      },
    },
  },
  success: {
    status: 201,
    description: 'The posting',
    data: postingShape,
    example: { ...POSTING_EXAMPLE, kind: 'journal', instructionIdempotencykey: null },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'CURRENCY_MISMATCH', 'INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const findings = new Findings();
    const { valueDate, narration: text, paymentReference, forceOnUnarrangedOverdraft } = call.body;
    const lines = call.body.lines.map((line, index): JournalLine => {
      const side = line.ledgerType === 'DEBIT' ? 'debit' : 'credit';
      return {
        accountNumber: line.accountNumber,
        currency: line.currencyCode,
        side,
        amount: amountIn(line.amount, line.currencyCode, `lines.${index}.amount`, findings),
        ...(line.narration === undefined ? {} : { narration: line.narration }),
      };
    });
    findings.throwIfAny();
    const done = await execute(call, 'post-journal-entry', {
      lines,
      ...(valueDate === undefined ? {} : { valueDate }),
      ...(text === undefined ? {} : { narration: text }),
      ...(paymentReference === undefined ? {} : { reference: paymentReference }),
      ...(forceOnUnarrangedOverdraft === undefined ? {} : { force: forceOnUnarrangedOverdraft }),
    });
    return isFailure(done) ? done : postedAnswer(done, 'Posted');
  },
});

const rate = z
  .union([z.number(), z.string().max(41)])
  .transform(String)
  .refine((text) => /^\d{1,20}(?:\.\d{1,20})?$/.test(text), {
    error: 'must be a positive decimal',
    params: { code: 'INVALID_RATE' },
  })
  .meta({
    type: 'string',
    description: 'Units of the target currency for one unit of the source currency',
    example: '0.000652',
  });

export const postFx = defineEndpoint({
  id: 'post-fx',
  group: 'ledger',
  title: 'Post an exchange',
  description:
    'Moves an amount out of an account in one currency and its counter value into an account in another, as two balanced halves ' +
    "through the currencies' position accounts. The counter amount is given, or is amount × rate rounded half-even.",
  method: 'POST',
  path: '/api/v6/services/gateway/post-fx',
  aliases: [],
  roles: ['MANAGER', 'CASHIER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  body: z.strictObject({
    sourceAccountNumber: accountNumber,
    sourceCurrencyCode: currencyCode,
    targetAccountNumber: accountNumber,
    targetCurrencyCode: currencyCode,
    amount,
    counterAmount: amount.optional(),
    rate: rate.optional(),
    valueDate: dateIn.optional(),
    narration: narration.optional(),
    paymentReference: narration.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    exchange: {
      body: {
        sourceAccountNumber: EXAMPLE.accountNumber,
        sourceCurrencyCode: 'NGN',
        targetAccountNumber: EXAMPLE.dollarNumber,
        targetCurrencyCode: 'USD',
        amount: 1000,
        rate: '0.000652',
      },
    },
  },
  success: {
    status: 201,
    description: 'The posting, with its four lines',
    data: postingShape,
    example: { ...POSTING_EXAMPLE, kind: 'fx', instructionIdempotencykey: null, rate: '0.000652' },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'CURRENCY_MISMATCH', 'INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const { body } = call;
    const findings = new Findings();
    const paid = amountIn(body.amount, body.sourceCurrencyCode, 'amount', findings);
    const counterAmount =
      body.counterAmount === undefined
        ? undefined
        : amountIn(body.counterAmount, body.targetCurrencyCode, 'counterAmount', findings);
    if (body.rate === undefined && counterAmount === undefined)
      findings.add('rate', 'REQUIRED', 'or counterAmount is required');
    findings.throwIfAny();
    const done = await execute(call, 'post-fx-entry', {
      sourceNumber: body.sourceAccountNumber,
      targetNumber: body.targetAccountNumber,
      sourceCurrency: body.sourceCurrencyCode,
      targetCurrency: body.targetCurrencyCode,
      amount: paid,
      ...(counterAmount === undefined ? {} : { counterAmount }),
      ...(body.rate === undefined ? {} : { rate: body.rate }),
      ...(body.valueDate === undefined ? {} : { valueDate: body.valueDate }),
      ...(body.narration === undefined ? {} : { narration: body.narration }),
      ...(body.paymentReference === undefined ? {} : { reference: body.paymentReference }),
    });
    return isFailure(done) ? done : postedAnswer(done, 'Exchanged');
  },
});
