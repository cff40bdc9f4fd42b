import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { ROLES } from '../../domain/shared/decider.js';
import { type Endpoint, defineEndpoint, isAllowed } from '../../http/endpoint.js';
import { KEYED_POSTINGS } from '../../http/ledger/history.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';
import { permissionMatrix } from '../support/permission-matrix.js';
import { repositoryRoot } from '../support/repository.js';

/** The catalogue (shared/spec/endpoints.tsv, copied): id, group, route, roles, aliases. */
const CATALOGUE = readFileSync(join(repositoryRoot, 'tests/reference/endpoints.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [id = '', group = '', , method = '', path = '', roles = '', , , , , aliases = ''] = line.split('\t');
    return { id, group, route: `${method} ${path}`, roles, aliases: aliases === '-' ? '' : aliases };
  });

/** Groups that come with later issues, and rows of ours that do. */
const LATER_GROUPS = ['compliance', 'deposit', 'exchange', 'investment', 'transactions', 'webhooks'];
const LATER = [
  ...['import-partner-statement', 'list-reconciliation-breaks', 'resolve-reconciliation-break'],
  ...['create-export', 'get-export', 'download-export', 'report-transactions', 'report-revenue'],
  ...['dynamic-fields', 'dynamic-fields-group', 'define-dynamic-fields-group'],
  ...['list-connectors', 'create-connector-instance', 'update-connector-instance', 'delete-connector-instance'],
  ...['add-default-charge', 'list-payout-points', 'list-payout-centers', 'list-pay-points'],
  ...['list-allocated-payout-points', 'list-payment-collectors', 'list-pay-centres-by-type', 'pay-centre-by-id'],
  ...['payout-center-branches', 'create-pay-centre', 'update-pay-centre', 'allocate-payout-point'],
  ...['list-notifications', 'mark-notification-read'],
];

/** Either token will do (identity-compliance.md 2.3), so none is asked for in the header. */
const ROLES_OF_OURS: Readonly<Record<string, string>> = { logout: 'PUBLIC' };

/** Ours beyond the catalogue. */
const OURS = [
  ...['post-journal-entry', 'post-fx', 'balance-explanation', 'set-balance-limits', 'release-hold-group'],
  ...['sandbox-outbox', 'profile-picture', 'add-customer-bank-details', 'list-customer-bank-details', 'erase-person'],
  ...['payoff-quote', 'loan-statement', 'payoff-letter', 'preview-loan-restructure', 'reverse-repayment'],
  ...['waive-loan', 'charge-loan', 'undo-loan-operation'],
  ...['loan-portfolio-arrears', 'loan-portfolio-vintages', 'loan-portfolio-cash-flow'],
];

const rolesText = (endpoint: Endpoint): string => (endpoint.roles === 'PUBLIC' ? 'PUBLIC' : endpoint.roles.join());
const routeText = (route: { method: string; path: string }): string => `${route.method} ${route.path}`;

t.test('what the catalogue lists is served as it says, and nothing else but ours', async (t) => {
  const byId = new Map(ENDPOINTS.map((endpoint) => [endpoint.id, endpoint]));
  t.equal(byId.size, ENDPOINTS.length, 'ids are unique');
  const wanted = CATALOGUE.filter(
    ({ id, group }) => byId.has(id) || (!LATER_GROUPS.includes(group) && !LATER.includes(id)),
  );
  for (const { id, group, route, roles, aliases } of wanted) {
    const endpoint = byId.get(id);
    t.ok(endpoint, id);
    if (endpoint === undefined) continue;
    t.equal(endpoint.group, group, `${id} group`);
    t.equal(routeText(endpoint), route);
    t.same([...rolesText(endpoint).split(',')].sort(), (ROLES_OF_OURS[id] ?? roles).split(',').sort(), `${id} roles`);
    t.equal(endpoint.aliases.map(routeText).join(';'), aliases);
  }
  t.same([...byId.keys()].sort(), [...wanted.map(({ id }) => id), ...OURS].sort());
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
    t.ok(
      roles === 'PUBLIC' || (endpoint.tenant === undefined && endpoint.token === undefined),
      `${id} asks for a token`,
    );
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

t.test('the permission matrix of the documentation is what is served', async (t) => {
  const path = join(repositoryRoot, 'docs/reference/permissions.md');
  const matrix = permissionMatrix(ENDPOINTS);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, matrix);
  t.equal(readFileSync(path, 'utf8'), matrix, 'UPDATE_DOCS=1 npm test -- definitions');
});
