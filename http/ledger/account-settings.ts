import { z } from 'zod';
import { type AccountLimitsChanged, PERMISSIONS } from '../../domain/ledger/events.js';
import { Findings } from '../amounts.js';
import { type Accepted, execute, isFailure } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { amount, uuid } from '../schemas.js';
import { ACCOUNT_EXAMPLE, type AccountChange, accountShape } from './account-shape.js';
import { changedAccount, limitIn, limitSpellings } from './accounts.js';
import { EXAMPLE } from './examples.js';
import { accountForCommand } from './visible.js';

const PERMISSION_PATH = '/api/v6/services/account-maintenance/change-account-permission/{id}/{permission}';

export const changeAccountPermission = defineEndpoint({
  id: 'change-account-permission',
  group: 'ledger',
  title: 'Change account permission',
  description:
    'A customer may restrict his own account; what staff restricted only staff may widen again. ' +
    'The documented GET changes state and stays as it is; PUT and POST on the same path do the same.',
  method: 'GET',
  path: PERMISSION_PATH,
  aliases: [
    { method: 'PUT', path: PERMISSION_PATH },
    { method: 'POST', path: PERMISSION_PATH },
  ],
  roles: ['MANAGER', 'CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params: z.object({ id: uuid, permission: z.enum(PERMISSIONS) }),
  unknownMembers: 'refuse',
  requestExamples: { restrict: { params: { id: EXAMPLE.spareId, permission: 'READ_ONLY' } } },
  success: {
    status: 200,
    description: 'Updated account',
    data: accountShape,
    example: { ...ACCOUNT_EXAMPLE, permission: 'READ_ONLY' },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE'],
  async handler(call) {
    const { id, permission } = call.params;
    const done = await execute(call, 'change-account-permission', { account: id, permission });
    return isFailure(done) ? done : changedAccount(call, id, done, { permission }, 'Permission changed');
  },
});

/** The limits that the command left, as its event states them. */
function limitsAfter(done: Accepted): AccountChange {
  const event = done.events.find(({ type }) => type === 'account-limits-changed');
  if (event === undefined) return {};
  const { overdraftLimit, minimumBalance, maximumBalance } = event.data as AccountLimitsChanged['data'];
  return {
    overdraftLimit: BigInt(overdraftLimit),
    minimumBalance: minimumBalance === undefined ? null : BigInt(minimumBalance),
    maximumBalance: maximumBalance === undefined ? null : BigInt(maximumBalance),
  };
}

const params = z.object({ accountId: uuid });

export const setOverdraftLimit = defineEndpoint({
  id: 'set-overdraft-limit',
  group: 'ledger',
  title: 'Set overdraft limit',
  method: 'PUT',
  path: '/api/v6/services/account-maintenance/overdraft-limit/{accountId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params,
  body: z.strictObject({ overDraftLimit: amount }),
  unknownMembers: 'refuse',
  normalise: limitSpellings,
  requestExamples: { raise: { params: { accountId: EXAMPLE.accountId }, body: { overDraftLimit: 500 } } },
  success: {
    status: 200,
    description: 'The account',
    data: accountShape,
    example: { ...ACCOUNT_EXAMPLE, overDraftLimit: 500, availableOverdraft: 500, spendableBalance: 1700 },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { accountId } = call.params;
    const { currency } = await accountForCommand(call, accountId);
    const findings = new Findings();
    const overdraftLimit =
      limitIn(call.body.overDraftLimit, currency, 'overDraftLimit', findings, 'not-negative') ?? 0n;
    findings.throwIfAny();
    const done = await execute(call, 'set-account-limits', { account: accountId, overdraftLimit });
    return isFailure(done) ? done : changedAccount(call, accountId, done, limitsAfter(done), 'Overdraft limit set');
  },
});

export const setBalanceLimits = defineEndpoint({
  id: 'set-balance-limits',
  group: 'ledger',
  title: 'Set minimum and maximum balance',
  description:
    'A member that is absent stays as it is; null takes the limit away. An account without a minimum may take any balance.',
  method: 'PUT',
  path: '/api/v6/services/account-maintenance/balance-limits/{accountId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params,
  body: z.strictObject({ minimumBalance: amount.nullable().optional(), maximumBalance: amount.nullable().optional() }),
  unknownMembers: 'refuse',
  requestExamples: {
    both: { params: { accountId: EXAMPLE.accountId }, body: { minimumBalance: 0, maximumBalance: '1000000.00' } },
  },
  success: {
    status: 200,
    description: 'The account',
    data: accountShape,
    example: { ...ACCOUNT_EXAMPLE, maximumBalance: 1000000 },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE'],
  async handler(call) {
    const { accountId } = call.params;
    const { currency } = await accountForCommand(call, accountId);
    const findings = new Findings();
    const minimumBalance = limitIn(call.body.minimumBalance, currency, 'minimumBalance', findings);
    const maximumBalance = limitIn(call.body.maximumBalance, currency, 'maximumBalance', findings);
    if (minimumBalance === undefined && maximumBalance === undefined) {
      findings.add('minimumBalance', 'REQUIRED', 'or maximumBalance is required');
    }
    findings.throwIfAny();
    const done = await execute(call, 'set-account-limits', {
      account: accountId,
      ...(minimumBalance === undefined ? {} : { minimumBalance }),
      ...(maximumBalance === undefined ? {} : { maximumBalance }),
    });
    return isFailure(done) ? done : changedAccount(call, accountId, done, limitsAfter(done), 'Balance limits set');
  },
});
