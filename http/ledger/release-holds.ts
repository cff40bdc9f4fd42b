import { z } from 'zod';
import { Findings, amountIn } from '../amounts.js';
import { caughtUp, execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { amount, uuid } from '../schemas.js';
import { EXAMPLE } from './examples.js';
import { HOLD_EXAMPLE, TOTALS_EXAMPLE, holdWithTotals, releasedOut } from './hold-shape.js';
import { noSuch } from '../scope.js';
import { seesAccount } from './visible.js';

/** The hold a command is about, as far as this process has committed: its currency is needed to read and show amounts. */
async function holdForCommand(call: Call, holdId: string) {
  await caughtUp(call);
  const hold = await call.services.readModels.hold(call.caller.tenantId, holdId);
  if (hold === undefined || !(await seesAccount(call, hold.accountId))) throw noSuch('hold');
  return hold;
}

export const releaseHold = defineEndpoint({
  id: 'release-hold',
  group: 'ledger',
  title: 'Release a lien or hold',
  description: 'All that remains, or a part.',
  method: 'POST',
  path: '/api/v6/services/ledger/holds/{holdId}/release',
  aliases: [],
  roles: ['MANAGER', 'CASHIER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params: z.object({ holdId: uuid }),
  body: z.strictObject({ amount: amount.optional() }),
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: { part: { params: { holdId: EXAMPLE.holdId }, body: { amount: 40 } } },
  success: {
    status: 200,
    description: 'The hold',
    data: holdWithTotals,
    example: { ...HOLD_EXAMPLE, releasedAmount: 40, remainingAmount: 60, ...TOTALS_EXAMPLE, totalHoldAmount: 60 },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { holdId } = call.params;
    const hold = await holdForCommand(call, holdId);
    const findings = new Findings();
    const part =
      call.body.amount === undefined ? undefined : amountIn(call.body.amount, hold.currency, 'amount', findings);
    findings.throwIfAny();
    const done = await execute(call, 'release-hold', { hold: holdId, ...(part === undefined ? {} : { amount: part }) });
    if (isFailure(done)) return done;
    const released = done.events.find(({ type }) => type === 'hold-released');
    if (released === undefined) throw new Error('a release has its event');
    const { position, replayed } = done;
    return { kind: 'answer', message: 'Released', data: releasedOut(hold, released), position, replayed };
  },
});

export const releaseHoldGroup = defineEndpoint({
  id: 'release-hold-group',
  group: 'ledger',
  title: 'Release a group of holds',
  description: 'All that is still held of holds that were placed together, in one commit.',
  method: 'POST',
  path: '/api/v6/services/ledger/hold-groups/{groupId}/release',
  aliases: [],
  roles: ['MANAGER', 'CASHIER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params: z.object({ groupId: uuid }),
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { groupId: EXAMPLE.groupId } } },
  success: {
    status: 200,
    description: 'The holds that were released',
    data: z.object({ groupId: z.string(), holds: z.array(holdWithTotals) }),
    example: {
      groupId: EXAMPLE.groupId,
      holds: [
        {
          ...HOLD_EXAMPLE,
          groupId: EXAMPLE.groupId,
          status: 'RELEASED',
          releasedAmount: 100,
          remainingAmount: 0,
          totalHoldAmount: 0,
          totalLienAmount: 0,
        },
      ],
    },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { groupId } = call.params;
    await caughtUp(call);
    const all = await call.services.readModels.holdsOfGroup(call.caller.tenantId, groupId);
    const seen = await Promise.all(all.map(({ accountId }) => seesAccount(call, accountId)));
    const holds = all.filter((_, index) => seen[index]);
    if (holds.length === 0) throw noSuch('group of holds');
    const done = await execute(call, 'release-hold-group', { group: groupId, holds: holds.map((hold) => hold.holdId) });
    if (isFailure(done)) return done;
    const shown = done.events.flatMap((event) => {
      if (event.type !== 'hold-released') return [];
      const hold = holds.find(({ holdId }) => holdId === (event.data as { hold: string }).hold);
      return hold === undefined ? [] : [releasedOut(hold, event)];
    });
    return {
      kind: 'answer',
      message: 'Released',
      data: { groupId, holds: shown },
      position: done.position,
      replayed: done.replayed,
    };
  },
});
