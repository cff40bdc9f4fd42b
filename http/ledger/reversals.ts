import { z } from 'zod';
import type { ReverseEntry } from '../../domain/ledger/commands.js';
import { entryOfLine } from '../../domain/shared/ids.js';
import { Findings, amountIn } from '../amounts.js';
import { caughtUp, execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { amount, reason, uuid } from '../schemas.js';
import { EXAMPLE } from './examples.js';
import { POSTING_EXAMPLE, entryOut, postingShape } from './entry-shape.js';
import { postedAnswer } from './journal-entries.js';
import { noSuch } from '../scope.js';
import { visibleLines } from './visible.js';

const params = z.object({ postingGroupId: uuid });

const body = z.strictObject({
  reason,
  amount: amount.optional().meta({ description: 'Part of a posting of two lines; default: the whole' }),
  lines: z
    .array(z.strictObject({ transactionId: uuid, amount }))
    .min(2)
    .max(1000)
    .optional()
    .meta({ description: 'Part of a posting of several lines, line by line; must balance' }),
});

/** The parts of a partial reversal in minor units: the currency of each is its line's. */
async function partsOf(
  call: Call,
  entryId: string,
  wanted: Pick<z.output<typeof body>, 'amount' | 'lines'>,
): Promise<Pick<ReverseEntry, 'amount' | 'lines'>> {
  if (wanted.amount === undefined && wanted.lines === undefined) return {};
  await caughtUp(call);
  const original = await call.services.readModels.entry(call.caller.tenantId, entryId);
  const [first] = original;
  if (first === undefined) throw noSuch('posting');
  const findings = new Findings();
  const part = wanted.amount === undefined ? undefined : amountIn(wanted.amount, first.currency, 'amount', findings);
  const lines = wanted.lines?.map(({ transactionId, amount: share }, index) => {
    const line = original.find((candidate) => candidate.lineId === transactionId);
    if (line === undefined) findings.add(`lines.${index}.transactionId`, 'UNKNOWN', 'is not a line of this posting');
    return {
      line: entryOfLine(transactionId).index,
      amount: amountIn(share, line?.currency ?? first.currency, `lines.${index}.amount`, findings),
    };
  });
  findings.throwIfAny();
  return { ...(part === undefined ? {} : { amount: part }), ...(lines === undefined ? {} : { lines }) };
}

export const reversePosting = defineEndpoint({
  id: 'reverse-posting',
  group: 'ledger',
  title: 'Reverse a posting',
  description:
    'A new posting that mirrors the old one, wholly or in part, once. The old one stays as it is; a second reversal is 409.',
  method: 'POST',
  path: '/api/v6/services/gateway/reverse-posting/{postingGroupId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  params,
  body,
  unknownMembers: 'refuse',
  requestExamples: { whole: { params: { postingGroupId: EXAMPLE.entryId }, body: { reason: 'Posted twice' } } },
  success: {
    status: 200,
    description: 'The reversing posting',
    data: postingShape,
    example: { ...POSTING_EXAMPLE, kind: 'reversal', reverses: EXAMPLE.entryId, instructionIdempotencykey: null },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'ACCOUNT_NOT_USABLE', 'INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const { postingGroupId } = call.params;
    const parts = await partsOf(call, postingGroupId, call.body);
    const done = await execute(call, 'reverse-entry', { entry: postingGroupId, reason: call.body.reason, ...parts });
    return isFailure(done) ? done : postedAnswer(done, 'Reversed');
  },
});

export const getPostingGroup = defineEndpoint({
  id: 'get-posting-group',
  group: 'ledger',
  title: 'Get a posting group',
  description: 'The entries of one posting. A customer sees those of his own accounts.',
  method: 'GET',
  path: '/api/v6/services/ledger/posting-group/{postingGroupId}',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR'],
  kind: 'query',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { postingGroupId: EXAMPLE.entryId } } },
  success: { status: 200, description: 'The posting', data: postingShape, example: POSTING_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { postingGroupId } = call.params;
    const lines = await visibleLines(call, await call.services.readModels.entry(call.caller.tenantId, postingGroupId));
    const [first] = lines;
    if (first === undefined) throw noSuch('posting');
    const data = {
      postingGroupId,
      kind: first.kind,
      instructionIdempotencykey: first.instructionKey,
      status: first.reversedBy === null ? 'PAID' : 'REVERSED',
      replayed: false,
      valueDate: first.valueDate,
      reverses: first.reverses,
      rate: null,
      entries: lines.map(entryOut),
    };
    return { kind: 'answer', message: 'Posting', data };
  },
});
