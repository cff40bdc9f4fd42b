import { rememberedAccountId } from '../ledger/account.js';
import { systemAccountNumber, SYSTEM_ACCOUNTS } from '../ledger/products.js';
import { tagOf } from '../aggregates.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { tenantIdOf } from '../shared/ids.js';
import { isCurrency } from '../shared/money.js';
import { type Refusal, refuse } from '../shared/refusal.js';
import type { CreateTenant, EnableCurrencies, SetTenantStatus, UpdateTenant } from './commands.js';
import type { TenantSettings } from './events.js';

const SLUG = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Opens a tenant's log: the tenant, and the chart of system accounts of each of its currencies, in one commit. */
export const decideCreateTenant: Decide<CreateTenant> = (command, context) => {
  if (!SLUG.test(command.slug)) {
    return refuse('invalid-argument', 'a slug is a DNS label of lower-case letters, digits and hyphens', {
      field: 'slug',
    });
  }
  if (context.tenantId !== tenantIdOf(command.slug)) throw new Error('a tenant is created in its own log');
  if (context.state('tenant', context.tenantId).status !== 'NONE') {
    return refuse('tenant-exists', `there is a tenant ${command.slug} already`, { field: 'slug' });
  }
  const invalid = checkSettings(command.settings);
  if (invalid !== undefined) return invalid;
  context.emit({
    type: 'tenant-created',
    version: 1,
    data: { slug: command.slug, ...command.settings },
    tags: [tagOf('tenant', context.tenantId)],
  });
  openSystemAccounts(command.settings.currencies, context);
  return undefined;
};

function checkSettings(settings: TenantSettings): Refusal | undefined {
  for (const currency of settings.currencies) {
    if (!isCurrency(currency)) {
      return refuse('invalid-argument', `${currency} is not an ISO 4217 currency`, { field: 'currencies' });
    }
  }
  if (!settings.currencies.includes(settings.baseCurrency)) {
    return refuse('invalid-argument', 'the base currency is not among the currencies', { field: 'baseCurrency' });
  }
  if (new Set(settings.currencies).size !== settings.currencies.length) {
    return refuse('invalid-argument', 'a currency is named twice', { field: 'currencies' });
  }
  return undefined;
}

function openSystemAccounts(currencies: readonly string[], context: DecisionContext): void {
  for (const currency of currencies) {
    for (const { role, name, kind } of SYSTEM_ACCOUNTS) {
      const number = systemAccountNumber(role, currency);
      const account = rememberedAccountId(context.tenantId, number);
      context.emit({
        type: 'account-opened',
        version: 2,
        data: {
          account,
          number,
          name: `${name} ${currency}`,
          owner: context.tenantId,
          currency,
          kind,
          product: 'SYSTEM',
          permission: 'FULL_ACCESS',
          overdraftLimit: '0',
          systemRole: role,
        },
        tags: [tagOf('account', account), tagOf('tenant', context.tenantId)],
      });
    }
  }
}

export const decideUpdateTenant: Decide<UpdateTenant> = (command, context) => {
  const tenant = context.state('tenant', context.tenantId);
  if (tenant.status === 'NONE') return refuse('tenant-not-found', 'there is no such tenant');
  const given = Object.fromEntries(Object.entries(command.settings).filter(([, value]) => value !== undefined));
  const settings: TenantSettings = { ...tenant.settings, ...given };
  const lost = tenant.settings.currencies.filter((currency) => !settings.currencies.includes(currency));
  if (lost.length > 0) {
    return refuse('invalid-argument', `a book does not forget a currency: ${lost.join(', ')}`, { field: 'currencies' });
  }
  const invalid = checkSettings(settings);
  if (invalid !== undefined) return invalid;
  const added = settings.currencies.filter((currency) => !tenant.settings.currencies.includes(currency));
  context.emit({ type: 'tenant-updated', version: 1, data: settings, tags: [tagOf('tenant', context.tenantId)] });
  openSystemAccounts(added, context);
  return undefined;
};

export const decideSetTenantStatus: Decide<SetTenantStatus> = (command, context) => {
  const { status } = context.state('tenant', context.tenantId);
  if (status === 'NONE') return refuse('tenant-not-found', 'there is no such tenant');
  if (status === command.status) return refuse('invalid-state', `the tenant is ${status} already`, { field: 'status' });
  context.emit({
    type: 'tenant-status-set',
    version: 1,
    data: { from: status, to: command.status, reason: command.reason },
    tags: [tagOf('tenant', context.tenantId)],
  });
  return undefined;
};

export const decideEnableCurrencies: Decide<EnableCurrencies> = (command, context) => {
  const tenant = context.state('tenant', context.tenantId);
  if (tenant.status === 'NONE') return refuse('tenant-not-found', 'there is no such tenant');
  const added = [...new Set(command.currencies)].filter((currency) => !tenant.settings.currencies.includes(currency));
  if (added.length === 0) return undefined;
  return decideUpdateTenant({ settings: { currencies: [...tenant.settings.currencies, ...added] } }, context);
};
