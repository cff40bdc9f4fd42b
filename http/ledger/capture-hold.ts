import { z } from 'zod';
import type { EntryPosted, HoldReleased } from '../../domain/ledger/events.js';
import { Findings, amountIn, amountOut } from '../amounts.js';
import { type Accepted, execute, isFailure } from '../commands.js';
import { type Answer, defineEndpoint } from '../endpoint.js';
import { RawJson, jsonText } from '../json.js';
import { renamed } from '../request-body.js';
import { accountNumber, amount, amountShown, currencyCode, narration, uuid } from '../schemas.js';
import { EXAMPLE } from './examples.js';
import { POSTING_EXAMPLE, postedEvents, postingShape, postingText } from './entry-shape.js';
import { HOLD_STATUSES, totalsOut, totalsShape } from './hold-shape.js';
import { MAX_COUNTERPARTIES } from './posting-instruction.js';

const counterparty = z.strictObject({
  accountNumber,
  currencyCode,
  amount: amount
    .optional()
    .meta({ description: 'May be left out where there is one counterparty: the captured amount' }),
  narration: narration.optional(),
});

const captured = z.object({
  holdId: z.string(),
  accountId: z.string(),
  status: z.enum(HOLD_STATUSES),
  capturedAmount: amountShown,
  remainingAmount: amountShown,
  ...totalsShape,
});

/** The posting, and what is left of the hold after it, from the commit's events alone. */
function capturedAnswer(done: Accepted): Answer {
  const [posted] = postedEvents(done.events);
  const { capture, lines } = (posted?.data ?? {}) as Partial<EntryPosted['data']>;
  const currency = lines?.[0]?.currency;
  if (posted === undefined || capture === undefined || currency === undefined)
    throw new Error('a capture has its event');
  const letGo = done.events.find(({ type }) => type === 'hold-released')?.data as HoldReleased['data'] | undefined;
  const remaining = letGo?.remaining ?? capture.remaining;
  const hold = {
    holdId: capture.hold,
    accountId: capture.account,
    status: remaining === '0' ? 'CAPTURED' : 'ACTIVE',
    capturedAmount: amountOut(capture.amount, currency),
    remainingAmount: amountOut(remaining, currency),
    ...totalsOut(letGo ?? capture, currency),
  };
  const data = new RawJson(`${postingText(posted).slice(0, -1)},"hold":${jsonText(hold)}}`);
  return { kind: 'answer', message: 'Captured', data, position: done.position, replayed: done.replayed };
}

export const captureHold = defineEndpoint({
  id: 'capture-hold',
  group: 'ledger',
  title: 'Capture a lien or hold',
  description:
    'Posts all that is held, or a part, from the held account to the counterparties. Several partial captures are possible; `final` lets the rest go.',
  method: 'POST',
  path: '/api/v6/services/ledger/holds/{holdId}/capture',
  aliases: [],
  roles: ['MANAGER', 'CASHIER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  params: z.object({ holdId: uuid }),
  body: z.strictObject({
    amount: amount.optional(),
    counterParties: z.array(counterparty).min(1).max(MAX_COUNTERPARTIES),
    final: z.boolean().optional(),
    narration: narration.optional(),
    paymentReference: narration.optional(),
  }),
  unknownMembers: 'refuse',
  normalise: (value) => renamed(value, { counterparties: 'counterParties' }),
  requestExamples: {
    part: {
      params: { holdId: EXAMPLE.holdId },
      body: { amount: 60, counterParties: [{ accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN' }] },
    },
  },
  success: {
    status: 200,
    description: 'The posting, and what is left of the hold',
    data: postingShape.extend({ hold: captured }),
    example: {
      ...POSTING_EXAMPLE,
      kind: 'capture',
      instructionIdempotencykey: null,
      hold: {
        holdId: EXAMPLE.holdId,
        accountId: EXAMPLE.accountId,
        status: 'ACTIVE',
        capturedAmount: 60,
        remainingAmount: 40,
        totalHoldAmount: 40,
        totalLienAmount: 0,
      },
    },
  },
  errors: ['NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'CURRENCY_MISMATCH', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { body, params } = call;
    const findings = new Findings();
    // All counterparties must be in the hold's currency: the first one's tells how to read the amount.
    const currency = body.counterParties[0]?.currencyCode ?? '';
    const part = body.amount === undefined ? undefined : amountIn(body.amount, currency, 'amount', findings);
    const counterparties = body.counterParties.map((party, index) => {
      const share =
        party.amount === undefined
          ? undefined
          : amountIn(party.amount, party.currencyCode, `counterParties.${index}.amount`, findings);
      if (share === undefined && body.counterParties.length > 1) {
        findings.add(`counterParties.${index}.amount`, 'REQUIRED', 'is required where there are several');
      }
      return {
        number: party.accountNumber,
        currency: party.currencyCode,
        ...(share === undefined ? {} : { amount: share }),
        ...(party.narration === undefined ? {} : { narration: party.narration }),
      };
    });
    findings.throwIfAny();
    const done = await execute(call, 'capture-hold', {
      hold: params.holdId,
      counterparties,
      ...(part === undefined ? {} : { amount: part }),
      ...(body.final === undefined ? {} : { final: body.final }),
      ...(body.narration === undefined ? {} : { narration: body.narration }),
      ...(body.paymentReference === undefined ? {} : { reference: body.paymentReference }),
    });
    return isFailure(done) ? done : capturedAnswer(done);
  },
});
