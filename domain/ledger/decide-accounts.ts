import { tagOf } from '../aggregates.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { MAX_BALANCE_MINOR } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { floorOf, normalBalance, rememberedAccountId } from './account.js';
import { accountNumberOf } from './account-number.js';
import type {
  ChangeAccountPermission,
  CloseAccount,
  FreezeAccount,
  OpenAccount,
  SetAccountLimits,
  UnfreezeAccount,
} from './commands.js';
import type { Permission } from './events.js';
import { accountTags, checkTenant, hasRole, isCustomerOutOfSight, openAccountState } from './guards.js';
import { accountProduct } from './products.js';

/** A chosen number may be in the way of the running one: skip at most this many. */
export const MAX_NUMBER_SKIPS = 1000;

export const decideOpenAccount: Decide<OpenAccount> = (command, context) => {
  const tenantRefusal = checkTenant(context);
  if (tenantRefusal !== undefined) return tenantRefusal;
  const tenant = context.state('tenant', context.tenantId);
  if (isCustomerOutOfSight(command.owner, context) || context.state('customer', command.owner).status === 'ERASED') {
    return refuse('customer-not-found', 'there is no such customer', { field: 'ownerId' });
  }
  const product = accountProduct(command.product);
  if (product === undefined) {
    return refuse('product-unknown', `there is no account product ${command.product}`, { field: 'productCode' });
  }
  if (!tenant.settings.currencies.includes(command.currency)) {
    return refuse('currency-not-enabled', `${command.currency} is not a currency of this tenant`, {
      field: 'currencyCode',
    });
  }
  const limits = checkLimitValues(command);
  if (limits !== undefined) return limits;
  const numbered = chooseNumber(command, tenant.accountSequence, context);
  if (isRefusal(numbered)) return numbered;
  const minimum = command.minimumBalance ?? (product.constrained ? 0n : undefined);
  context.emit({
    type: 'account-opened',
    version: 2,
    data: {
      account: numbered.id,
      number: numbered.number,
      ...('person' in command ? { person: command.person } : { name: command.name }),
      owner: command.owner,
      currency: command.currency,
      kind: command.kind ?? product.kind,
      product: product.code,
      permission: command.permission ?? 'FULL_ACCESS',
      overdraftLimit: (command.overdraftLimit ?? 0n).toString(),
      ...(minimum === undefined ? {} : { minimumBalance: minimum.toString() }),
      ...(command.maximumBalance === undefined ? {} : { maximumBalance: command.maximumBalance.toString() }),
      ...(numbered.sequence === undefined ? {} : { numberSequence: numbered.sequence }),
    },
    tags: [...accountTags(numbered.id), tagOf('tenant', context.tenantId), `customer:${command.owner}`],
  });
  return undefined;
};

function chooseNumber(
  command: OpenAccount,
  lastSequence: number,
  context: DecisionContext,
): { id: string; number: string; sequence?: number } | Refusal {
  if (command.number !== undefined) {
    const id = rememberedAccountId(context.tenantId, command.number);
    if (context.state('account', id).status !== 'NONE') {
      return refuse('account-exists', `account number ${command.number} is taken`, { field: 'accountNumber' });
    }
    return { id, number: command.number };
  }
  for (let sequence = lastSequence + 1; sequence <= lastSequence + MAX_NUMBER_SKIPS; sequence += 1) {
    const number = accountNumberOf(sequence);
    const id = rememberedAccountId(context.tenantId, number);
    if (context.state('account', id).status === 'NONE') return { id, number, sequence };
  }
  return refuse('account-exists', 'no free account number was found');
}

function checkLimitValues(limits: {
  overdraftLimit?: bigint;
  minimumBalance?: bigint | null;
  maximumBalance?: bigint | null;
}): Refusal | undefined {
  const { overdraftLimit, minimumBalance, maximumBalance } = limits;
  if (overdraftLimit !== undefined && (overdraftLimit < 0n || overdraftLimit > MAX_BALANCE_MINOR)) {
    return refuse('amount-out-of-range', 'an overdraft limit is not negative', { field: 'overDraftLimit' });
  }
  for (const limit of [minimumBalance, maximumBalance]) {
    if (limit !== undefined && limit !== null && (limit > MAX_BALANCE_MINOR || limit < -MAX_BALANCE_MINOR)) {
      return refuse('amount-out-of-range', 'a balance limit is out of range');
    }
  }
  if (minimumBalance != null && maximumBalance != null && minimumBalance > maximumBalance) {
    return refuse('invalid-argument', 'the minimum balance is above the maximum balance', { field: 'minimumBalance' });
  }
  return undefined;
}

export const decideCloseAccount: Decide<CloseAccount> = (command, context) => {
  const account = openAccountState(command.account, context);
  if (isRefusal(account)) return account;
  if (account.systemRole !== undefined) return refuse('invalid-state', 'a system account cannot be closed');
  if (account.ledger !== 0n) return refuse('account-has-balance', `account ${account.number} is not at zero`);
  if (account.held !== 0n || account.liens !== 0n) {
    return refuse('account-has-holds', `account ${account.number} has holds or liens`);
  }
  context.emit({
    type: 'account-closed',
    version: 1,
    data: { account: command.account, ...(command.reason === undefined ? {} : { reason: command.reason }) },
    tags: accountTags(command.account),
  });
  return undefined;
};

export const decideFreezeAccount: Decide<FreezeAccount> = (command, context) => {
  const account = openAccountState(command.account, context);
  if (isRefusal(account)) return account;
  if (account.frozen === command.scope) {
    return refuse('invalid-state', `account ${account.number} is frozen for ${command.scope} already`);
  }
  context.emit({
    type: 'account-frozen',
    version: 1,
    data: { account: command.account, scope: command.scope, reason: command.reason },
    tags: accountTags(command.account),
  });
  return undefined;
};

export const decideUnfreezeAccount: Decide<UnfreezeAccount> = (command, context) => {
  const account = openAccountState(command.account, context);
  if (isRefusal(account)) return account;
  if (account.frozen === undefined) return refuse('invalid-state', `account ${account.number} is not frozen`);
  context.emit({
    type: 'account-unfrozen',
    version: 1,
    data: { account: command.account, ...(command.reason === undefined ? {} : { reason: command.reason }) },
    tags: accountTags(command.account),
  });
  return undefined;
};

/** What each permission allows, as bits: debit 1, credit 2. */
const ALLOWS: Readonly<Record<Permission, number>> = { READ_ONLY: 0, DEBIT_ONLY: 1, CREDIT_ONLY: 2, FULL_ACCESS: 3 };

/** Setting the permission that stands already is done and changes nothing: the documented call is a GET. */
export const decideChangeAccountPermission: Decide<ChangeAccountPermission> = (command, context) => {
  const account = openAccountState(command.account, context);
  if (isRefusal(account)) return account;
  const byStaff = hasRole(context, 'MANAGER', 'AGENT', 'CASHIER');
  if (!byStaff && account.owner !== context.actor.customerId) {
    return refuse('account-not-found', 'Account Not Found', { details: { account: command.account } });
  }
  const { staffPermission } = account;
  if (account.permission === command.permission && (!byStaff || staffPermission === command.permission))
    return undefined;
  if (!byStaff && (ALLOWS[command.permission] & ~ALLOWS[staffPermission]) !== 0) {
    return refuse('permission-widening-denied', 'staff restricted this account: only staff may widen it again');
  }
  context.emit({
    type: 'account-permission-changed',
    version: 1,
    data: { account: command.account, from: account.permission, to: command.permission, byStaff },
    tags: accountTags(command.account),
  });
  return undefined;
};

/** New limits hold for what comes: a balance that lies outside them already is left where it is and may only improve. */
export const decideSetAccountLimits: Decide<SetAccountLimits> = (command, context) => {
  const account = openAccountState(command.account, context);
  if (isRefusal(account)) return account;
  const invalid = checkLimitValues(command);
  if (invalid !== undefined) return invalid;
  const overdraftLimit = command.overdraftLimit ?? account.overdraftLimit;
  const minimumBalance =
    command.minimumBalance === undefined ? account.minimumBalance : (command.minimumBalance ?? undefined);
  const maximumBalance =
    command.maximumBalance === undefined ? account.maximumBalance : (command.maximumBalance ?? undefined);
  const both = checkLimitValues({
    ...(minimumBalance === undefined ? {} : { minimumBalance }),
    ...(maximumBalance === undefined ? {} : { maximumBalance }),
  });
  if (both !== undefined) return both;
  const used = -normalBalance(account);
  const floor = floorOf({ ...account, overdraftLimit, minimumBalance });
  if (
    command.overdraftLimit !== undefined &&
    overdraftLimit < account.overdraftLimit &&
    floor !== undefined &&
    -used < floor
  ) {
    return refuse('invalid-state', `account ${account.number} uses more overdraft than the new limit`, {
      field: 'overDraftLimit',
    });
  }
  context.emit({
    type: 'account-limits-changed',
    version: 1,
    data: {
      account: command.account,
      overdraftLimit: overdraftLimit.toString(),
      ...(minimumBalance === undefined ? {} : { minimumBalance: minimumBalance.toString() }),
      ...(maximumBalance === undefined ? {} : { maximumBalance: maximumBalance.toString() }),
    },
    tags: accountTags(command.account),
  });
  return undefined;
};
