import { z } from 'zod';
import type { TenantView } from '../../application/ports/read-models.js';
import { TENANT_STATUSES, type TenantSettings } from '../../domain/tenant/events.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { refuse } from '../../domain/shared/refusal.js';
import { type Accepted, caughtUp, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { EXAMPLE } from '../ledger/examples.js';
import { noSuch } from '../scope.js';
import { RequestFailed, refusalFailure, unavailable } from '../problem.js';
import { currencyCode, page, pagedOf, reason, size, uuid } from '../schemas.js';
import { TENANT_EXAMPLE, createdTenant, settingsOut, tenantOut, tenantShape } from './tenant-shape.js';

const params = z.object({ tenantId: uuid });
const domain = z
  .string()
  .max(253)
  .toLowerCase()
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/, 'is not a host name');

const settings = {
  name: z.string().min(1).max(512),
  domains: z.array(domain).max(20),
  baseCurrency: currencyCode,
  currencies: z.array(currencyCode).min(1).max(50),
  branding: z.record(z.string().min(1).max(64), z.string().max(2000)),
  emailTemplates: z.record(z.string().min(1).max(64), z.string().max(20_000)),
  smsSenderId: z.string().min(1).max(32),
};

/** Under this name the last change of any tenant by this process is remembered, beside those of each tenant. */
const ANY_TENANT = 'any tenant';

/**
 * A host names one tenant: whose it is, is known to the read model of all tenants only, so that is asked once it shows
 * what this process has changed. Two operators who give one name to two tenants at the same moment both succeed; the
 * host then belongs to the one that comes first in the log, and a token of the other is refused there.
 */
async function checkDomains(call: Call, tenantId: string, domains: readonly string[] | undefined): Promise<void> {
  if (domains === undefined || domains.length === 0) return;
  await caughtUp(call, ANY_TENANT);
  for (const [index, name] of domains.entries()) {
    const owner = await call.services.readModels.domainOwner(name);
    if (owner === undefined || owner.tenantId === tenantId) continue;
    const refusal = refuse('domain-taken', `${name} belongs to another tenant`, { field: `domains.${index}` });
    throw new RequestFailed(refusalFailure(refusal));
  }
}

async function existingTenant(call: Call, tenantId: string): Promise<TenantView> {
  const tenant = await call.services.readModels.tenant(tenantId);
  if (tenant === undefined) throw noSuch('tenant');
  return tenant;
}

/** The tenant once the read model shows the commit, with what was just changed laid over it. */
async function changedTenant(
  call: Call,
  tenantId: string,
  done: Accepted,
  change: Partial<TenantView>,
  message: string,
): Promise<Answer> {
  const { readModels, config, positions } = call.services;
  positions.set(ANY_TENANT, done.position);
  await readModels.waitFor(done.position, config.positionWaitMs);
  const tenant = await readModels.tenant(tenantId);
  if (tenant === undefined) throw new RequestFailed(unavailable('The tenant was changed but cannot be shown yet'));
  return {
    kind: 'answer',
    message,
    data: tenantOut({ ...tenant, ...change }),
    position: done.position,
    replayed: done.replayed,
  };
}

export const listTenants = defineEndpoint({
  id: 'list-tenants',
  group: 'platform',
  title: 'List tenants',
  description: "For managers of the operator's own tenant.",
  method: 'GET',
  path: '/api/v6/services/admin/tenants',
  aliases: [],
  roles: ['MANAGER'],
  rootTenantOnly: true,
  kind: 'query',
  movesMoney: false,
  query: z.object({ page, size }),
  unknownMembers: 'refuse',
  requestExamples: { first: { query: { page: '1', size: '20' } } },
  success: {
    status: 200,
    description: 'Tenants',
    data: pagedOf('tenants', tenantShape),
    example: { tenants: [TENANT_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 },
  },
  errors: [],
  async handler(call) {
    const wanted = call.query;
    const { items, totalElements } = await call.services.readModels.tenants(wanted);
    return {
      kind: 'answer',
      message: 'Tenants',
      data: { tenants: items.map(tenantOut), ...pageInfo(wanted, totalElements) },
    };
  },
});

export const createTenant = defineEndpoint({
  id: 'create-tenant',
  group: 'platform',
  title: 'Create tenant',
  description: 'Opens its log with a chart of system accounts for each of its currencies.',
  method: 'POST',
  path: '/api/v6/services/admin/tenants',
  aliases: [],
  roles: ['MANAGER'],
  rootTenantOnly: true,
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    slug: z
      .string()
      .min(1)
      .max(63)
      .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, 'is not a DNS label of lower-case letters, digits and hyphens'),
    name: settings.name,
    baseCurrency: settings.baseCurrency,
    currencies: settings.currencies.optional().meta({ description: 'Default: the base currency' }),
    domains: settings.domains.optional(),
    branding: settings.branding.optional(),
    emailTemplates: settings.emailTemplates.optional(),
    smsSenderId: settings.smsSenderId.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    one: {
      body: {
        slug: 'acme',
        name: 'Acme Transfers',
        baseCurrency: 'NGN',
        currencies: ['NGN', 'GBP'],
        domains: ['pay.acme.example'],
      },
    },
  },
  success: { status: 201, description: 'The tenant', data: tenantShape, example: TENANT_EXAMPLE },
  errors: [],
  async handler(call) {
    const { slug, smsSenderId, ...body } = call.body;
    const tenantId = tenantIdOf(slug);
    await checkDomains(call, tenantId, body.domains);
    const wanted: TenantSettings = {
      name: body.name,
      baseCurrency: body.baseCurrency,
      currencies: body.currencies ?? [body.baseCurrency],
      domains: body.domains ?? [],
      branding: body.branding ?? {},
      emailTemplates: body.emailTemplates ?? {},
      ...(smsSenderId === undefined ? {} : { smsSenderId }),
    };
    const done = await execute(call, 'create-tenant', { slug, settings: wanted }, tenantId);
    if (isFailure(done)) return done;
    call.services.positions.set(ANY_TENANT, done.position);
    const created = done.events.find(({ type }) => type === 'tenant-created');
    if (created === undefined) throw new Error('a new tenant has its event');
    const data = tenantOut(createdTenant(created));
    return { kind: 'answer', message: 'Tenant created', data, position: done.position, replayed: done.replayed };
  },
});

export const getTenant = defineEndpoint({
  id: 'get-tenant',
  group: 'platform',
  title: 'Get tenant',
  method: 'GET',
  path: '/api/v6/services/admin/tenants/{tenantId}',
  aliases: [],
  roles: ['MANAGER'],
  rootTenantOnly: true,
  kind: 'query',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { tenantId: EXAMPLE.tenantId } } },
  success: { status: 200, description: 'The tenant', data: tenantShape, example: TENANT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    return { kind: 'answer', message: 'Tenant', data: tenantOut(await existingTenant(call, call.params.tenantId)) };
  },
});

export const updateTenant = defineEndpoint({
  id: 'update-tenant',
  group: 'platform',
  title: 'Update tenant',
  description: 'Absent members stay as they are. Currencies may be added, never taken away; the slug stays.',
  method: 'PUT',
  path: '/api/v6/services/admin/tenants/{tenantId}',
  aliases: [],
  roles: ['MANAGER'],
  rootTenantOnly: true,
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject(settings).partial(),
  unknownMembers: 'refuse',
  requestExamples: {
    name: {
      params: { tenantId: EXAMPLE.tenantId },
      body: { name: 'Demo Transfers', branding: { primaryColor: '#0a7f5a' } },
    },
  },
  success: { status: 200, description: 'The tenant', data: tenantShape, example: TENANT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { tenantId } = call.params;
    await checkDomains(call, tenantId, call.body.domains);
    const given = Object.fromEntries(Object.entries(call.body).filter(([, value]) => value !== undefined));
    const done = await execute(call, 'update-tenant', { settings: given as Partial<TenantSettings> }, tenantId);
    if (isFailure(done)) return done;
    const after = done.events.find(({ type }) => type === 'tenant-updated')?.data as TenantSettings | undefined;
    return changedTenant(call, tenantId, done, after === undefined ? {} : settingsOut(after), 'Tenant updated');
  },
});

export const setTenantStatus = defineEndpoint({
  id: 'set-tenant-status',
  group: 'platform',
  title: 'Set tenant status',
  description: 'A suspended tenant can be read; nothing can be posted or opened.',
  method: 'PUT',
  path: '/api/v6/services/admin/tenants/{tenantId}/status',
  aliases: [],
  roles: ['MANAGER'],
  rootTenantOnly: true,
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject({ status: z.enum(TENANT_STATUSES), reason }),
  unknownMembers: 'refuse',
  requestExamples: {
    suspend: { params: { tenantId: EXAMPLE.tenantId }, body: { status: 'SUSPENDED', reason: 'Licence under review' } },
  },
  success: {
    status: 200,
    description: 'The tenant',
    data: tenantShape,
    example: { ...TENANT_EXAMPLE, status: 'SUSPENDED' },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { tenantId } = call.params;
    const done = await execute(call, 'set-tenant-status', call.body, tenantId);
    return isFailure(done) ? done : changedTenant(call, tenantId, done, { status: call.body.status }, 'Status set');
  },
});
