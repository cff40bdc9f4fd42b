import t from 'tap';
import { z } from 'zod';
import { ROLES } from '../../domain/shared/decider.js';
import { type Endpoint, defineEndpoint, isAllowed } from '../../http/endpoint.js';
import { KEYED_POSTINGS } from '../../http/ledger/history.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';

/** The catalogue's rows (endpoints.tsv) of what is served here: id, route, roles, aliases. Ours beyond it have a * before them. */
const STAFF = 'MANAGER,AGENT,CASHIER,CUSTOMER,AUDITOR';
const V6 = '/api/v6/services';
const CATALOGUE: ReadonlyArray<readonly [id: string, route: string, roles: string, aliases?: string]> = [
  ['post-account', `POST ${V6}/gateway/post-account`, 'MANAGER,AGENT,CASHIER'],
  ['account-balance', `GET ${V6}/ledger/account-balance/{accountId}`, STAFF],
  ['list-accounts', `GET ${V6}/account-maintenance/list-accounts/{accountOwnerId}`, STAFF],
  [
    'change-account-permission',
    `GET ${V6}/account-maintenance/change-account-permission/{id}/{permission}`,
    'MANAGER,CUSTOMER',
    `PUT ${V6}/account-maintenance/change-account-permission/{id}/{permission};POST ${V6}/account-maintenance/change-account-permission/{id}/{permission}`,
  ],
  [
    'ledger-history',
    `GET ${V6}/ledger/account-ledger-history/{accountId}/{page}/{size}`,
    STAFF,
    `GET ${V6}/ledger/account-ledger-history/{accountId}`,
  ],
  ['ledger-history-interaction-id', `GET ${V6}/ledger/account-ledger-history-interaction-id`, STAFF],
  ['ledger-history-idempotency-key', `GET ${V6}/ledger/account-ledger-history-idempotency-key`, STAFF],
  ['open-account', `POST ${V6}/account-maintenance/open-account`, 'MANAGER,AGENT'],
  ['get-account', `GET ${V6}/account-maintenance/account/{accountId}`, STAFF],
  ['freeze-account', `PUT ${V6}/account-maintenance/freeze-account/{accountId}`, 'MANAGER'],
  ['unfreeze-account', `PUT ${V6}/account-maintenance/unfreeze-account/{accountId}`, 'MANAGER'],
  ['close-account', `PUT ${V6}/account-maintenance/close-account/{accountId}`, 'MANAGER'],
  ['set-overdraft-limit', `PUT ${V6}/account-maintenance/overdraft-limit/{accountId}`, 'MANAGER'],
  ['place-hold', `POST ${V6}/ledger/holds`, 'MANAGER,CASHIER'],
  ['list-holds', `GET ${V6}/ledger/holds`, STAFF],
  ['capture-hold', `POST ${V6}/ledger/holds/{holdId}/capture`, 'MANAGER,CASHIER'],
  ['release-hold', `POST ${V6}/ledger/holds/{holdId}/release`, 'MANAGER,CASHIER'],
  ['reverse-posting', `POST ${V6}/gateway/reverse-posting/{postingGroupId}`, 'MANAGER'],
  ['get-posting-group', `GET ${V6}/ledger/posting-group/{postingGroupId}`, STAFF],
  ['trial-balance', `GET ${V6}/ledger/trial-balance`, 'MANAGER,AUDITOR,ANALYST'],
  ['account-statement', `GET ${V6}/ledger/account-statement/{accountId}`, STAFF],
  ['list-tenants', `GET ${V6}/admin/tenants`, 'MANAGER'],
  ['create-tenant', `POST ${V6}/admin/tenants`, 'MANAGER'],
  ['get-tenant', `GET ${V6}/admin/tenants/{tenantId}`, 'MANAGER'],
  ['update-tenant', `PUT ${V6}/admin/tenants/{tenantId}`, 'MANAGER'],
  ['set-tenant-status', `PUT ${V6}/admin/tenants/{tenantId}/status`, 'MANAGER'],
  ['audit-events', `GET ${V6}/audit/events`, 'MANAGER,AUDITOR'],
  ['audit-aggregate-events', `GET ${V6}/audit/events/{aggregateType}/{aggregateId}`, 'MANAGER,AUDITOR'],
  ['audit-replay', `GET ${V6}/audit/replay/{aggregateType}/{aggregateId}`, 'MANAGER,AUDITOR'],
  ['audit-verify-chain', `GET ${V6}/audit/verify-chain`, 'MANAGER,AUDITOR'],
  ['health', `GET ${V6}/platform/health`, 'PUBLIC', 'GET /health;GET /healthz'],
  ['ready', `GET ${V6}/platform/ready`, 'PUBLIC', 'GET /ready;GET /readyz'],
  ['metrics', `GET ${V6}/platform/metrics`, 'PUBLIC', 'GET /metrics'],
  ['openapi', `GET ${V6}/platform/openapi.json`, 'PUBLIC', 'GET /openapi.json'],
  ['list-api-tokens', `GET ${V6}/admin/security/api-tokens`, 'MANAGER,AGENT'],
  ['create-api-token', `POST ${V6}/admin/security/api-tokens`, 'MANAGER,AGENT'],
  ['rotate-api-token', `POST ${V6}/admin/security/api-tokens/{tokenId}/rotate`, 'MANAGER,AGENT'],
  ['disable-api-token', `PUT ${V6}/admin/security/api-tokens/{tokenId}/disable`, 'MANAGER,AGENT'],
  ['delete-api-token', `DELETE ${V6}/admin/security/api-tokens/{tokenId}`, 'MANAGER,AGENT'],
];

/** Ours beyond the catalogue. */
const OURS = ['post-journal-entry', 'post-fx', 'balance-explanation', 'set-balance-limits', 'release-hold-group'];

const rolesText = (endpoint: Endpoint): string => (endpoint.roles === 'PUBLIC' ? 'PUBLIC' : endpoint.roles.join());
const routeText = (route: { method: string; path: string }): string => `${route.method} ${route.path}`;

t.test('what the catalogue lists is served as it says, and nothing else but ours', async (t) => {
  const byId = new Map(ENDPOINTS.map((endpoint) => [endpoint.id, endpoint]));
  t.equal(byId.size, ENDPOINTS.length, 'ids are unique');
  for (const [id, route, roles, aliases = ''] of CATALOGUE) {
    const endpoint = byId.get(id);
    t.ok(endpoint, id);
    if (endpoint === undefined) continue;
    t.equal(routeText(endpoint), route);
    t.same([...rolesText(endpoint).split(',')].sort(), roles.split(',').sort(), `${id} roles`);
    t.equal(endpoint.aliases.map(routeText).join(';'), aliases);
  }
  t.same([...byId.keys()].sort(), [...CATALOGUE.map(([id]) => id), ...OURS].sort());
});

t.test('an endpoint without roles does not compile, and nobody may call it', async (t) => {
  const definition = {
    ...({
      id: 'x',
      group: 'ledger',
      title: 'x',
      method: 'GET',
      path: '/x',
      aliases: [],
      kind: 'query',
      movesMoney: false,
    } as const),
    ...({ unknownMembers: 'refuse', requestExamples: { x: {} }, errors: [] } as const),
    success: { status: 200, description: 'x', data: z.null(), example: null } as const,
    handler: () => ({ kind: 'answer', message: 'x', data: null }) as const,
  };
  // @ts-expect-error roles are not optional: that this line is an error is the test
  const without = defineEndpoint(definition);
  t.throws(() => isAllowed(without, ['MANAGER']), TypeError);
  // @ts-expect-error an empty list of roles is a mistake too
  defineEndpoint({ ...definition, roles: [] });
  const allowed = defineEndpoint({ ...definition, roles: ['AUDITOR'] });
  t.ok(isAllowed(allowed, ['AUDITOR']));
  t.notOk(isAllowed(allowed, ['MANAGER']));
  t.notOk(isAllowed(allowed, []));
});

t.test('every definition is complete', async (t) => {
  for (const endpoint of ENDPOINTS) {
    const { id, roles } = endpoint;
    t.ok(roles === 'PUBLIC' || (roles.length > 0 && roles.every((role) => ROLES.includes(role))), `${id} has roles`);
    t.ok(roles !== 'PUBLIC' || endpoint.group === 'platform', `${id} is public for a reason`);
    t.ok(Object.keys(endpoint.requestExamples).length > 0, `${id} has an example of a request`);
    t.ok(endpoint.kind === 'command' || !endpoint.movesMoney, `${id} moves money only as a command`);
    for (const [name, example] of Object.entries(endpoint.requestExamples)) {
      if (endpoint.body !== undefined && example.body !== undefined) {
        const body = endpoint.normalise?.(example.body) ?? example.body;
        t.ok(endpoint.body.safeParse(body).success, `${id} ${name}: body`);
      }
      if (endpoint.query !== undefined)
        t.ok(endpoint.query.safeParse(example.query ?? {}).success, `${id} ${name}: query`);
      if (endpoint.params !== undefined)
        t.ok(endpoint.params.safeParse(example.params ?? {}).success, `${id} ${name}: params`);
      const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param);
      t.same(Object.keys(example.params ?? {}).sort(), names.sort(), `${id} ${name}: every parameter of the path`);
    }
    t.ok(endpoint.success.data.safeParse(endpoint.success.example).success, `${id}: the example of the answer`);
  }
});

/** Paths of objects in a JSON schema that let unknown members through. */
function openObjects(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = schema as { type?: unknown; properties?: unknown; additionalProperties?: unknown };
  const open = own.type === 'object' && own.properties !== undefined && own.additionalProperties !== false;
  const below = Object.entries(schema).flatMap(([name, value]) => openObjects(value, `${path}/${name}`));
  return open ? [path, ...below] : below;
}

t.test('unknown members are refused where the request is known in full', async (t) => {
  for (const endpoint of ENDPOINTS) {
    if (endpoint.body === undefined) continue;
    const open = openObjects(z.toJSONSchema(endpoint.body, { io: 'input', unrepresentable: 'any' }));
    if (endpoint.unknownMembers === 'refuse') t.same(open, [], endpoint.id);
    else t.not(open.length, 0, endpoint.id);
  }
});

t.test('history by key knows every command whose key an entry may carry', async (t) => {
  const posting = ENDPOINTS.filter((endpoint) => endpoint.group === 'ledger' && endpoint.movesMoney).map(
    ({ id }) => id,
  );
  t.same([...KEYED_POSTINGS].sort(), posting.sort());
});

t.test('commands that move money are dispatched before Express', async (t) => {
  for (const endpoint of ENDPOINTS) if (endpoint.movesMoney) t.equal(endpoint.hot, true, endpoint.id);
  t.ok(ENDPOINTS.every((endpoint) => routesOf(endpoint).length === 1 + endpoint.aliases.length));
});
