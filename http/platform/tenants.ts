import { z } from 'zod';
import type { TenantView } from '../../application/ports/read-models.js';
import { TENANT_STATUSES, type TenantSettings } from '../../domain/tenant/events.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { type Accepted, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { EXAMPLE } from '../ledger/examples.js';
import { noSuch } from '../scope.js';
import { RequestFailed, unavailable } from '../problem.js';
import { currencyCode, page, pagedOf, reason, size, uuid } from '../schemas.js';
import { checkDomains, domainsChanged, whiteLabel } from './domains.js';
import { TENANT_EXAMPLE, createdTenant, settingsOut, tenantOut, tenantShape } from './tenant-shape.js';

const params = z.object({ tenantId: uuid });
const settings = {
  ...whiteLabel,
  baseCurrency: currencyCode,
  currencies: z.array(currencyCode).min(1).max(50),
};

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
  const { readModels, config } = call.services;
  domainsChanged(call, done.position);
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
    await checkDomains(call, { tenantId, agentId: null }, body.domains);
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
    domainsChanged(call, done.position);
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
    await checkDomains(call, { tenantId, agentId: null }, call.body.domains);
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
