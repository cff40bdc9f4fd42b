import t, { type Test } from 'tap';
import { ROLES } from '../../domain/shared/decider.js';
import type { Endpoint } from '../../http/endpoint.js';
import { errorsOf, openApiDocument } from '../../http/openapi.js';
import { ERROR_CODES } from '../../http/problem.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';
import { HttpWorld } from '../support/http-world.js';
import { prepareExample } from '../support/prepared-examples.js';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: ReadonlyArray<{
    $ref?: string;
    name?: string;
    in?: string;
    required?: boolean;
    schema?: unknown;
  }>;
  readonly requestBody?: { content: Record<string, { schema: unknown; examples: Record<string, { value: unknown }> }> };
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, { schema: unknown; example?: unknown }> }
  >;
  readonly security: object[];
  readonly 'x-roles': readonly string[];
  readonly 'x-kind': string;
}
interface Document {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>>;
}

/** Every `$ref` in a document. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' ? [member] : references(member),
  );
}

function resolve(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
}

t.test('the document is whole', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const { text, headers } = await world.send('/openapi.json', {}, 'NOBODY');
  t.match(headers['content-type'], /^application\/json/);
  const document = JSON.parse(text) as Document;
  t.same(document, JSON.parse(JSON.stringify(openApiDocument(ENDPOINTS, world.deps.config.version))));
  t.match(document, { openapi: /^3\.1\.\d$/, info: { title: 'Corebook API', version: world.deps.config.version } });
  for (const path of ['/api/v6/services/platform/openapi.json'])
    t.equal((await world.send(path, {}, 'NOBODY')).text, text, path);

  const served = ENDPOINTS.flatMap((endpoint) => routesOf(endpoint).map(({ method, path }) => `${method} ${path}`));
  const documented = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(documented.sort(), served.sort(), 'what is served is documented, and nothing else');
  for (const reference of new Set(references(document))) {
    t.match(reference, /^#\//, 'references stay inside');
    t.ok(resolve(document, reference), reference);
  }
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  t.equal(
    new Set(operations.map(({ operation }) => operation.operationId)).size,
    operations.length,
    'operation ids are unique',
  );
  for (const { path, method, operation } of operations) checkOperation(t, path, method, operation);
});

function checkOperation(t: Test, path: string, method: string, operation: Operation): void {
  const name = `${method} ${path}`;
  const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
  t.same(
    inPath.map((parameter) => parameter.name).sort(),
    [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param).sort(),
    `${name}: its path's parameters`,
  );
  t.ok(
    inPath.every((parameter) => parameter.required === true && parameter.schema !== undefined),
    `${name}: required`,
  );
  const roles = operation['x-roles'];
  t.ok(
    roles.length > 0 && roles.every((role) => role === 'PUBLIC' || (ROLES as readonly string[]).includes(role)),
    `${name}: roles`,
  );
  const isOptional = operation.security.some((scheme) => Object.keys(scheme).length === 0);
  t.equal(operation.security.length > 0 && !isOptional, roles[0] !== 'PUBLIC', `${name}: security`);
  const statuses = Object.keys(operation.responses);
  t.ok(
    statuses.some((status) => status.startsWith('2')),
    `${name}: a success`,
  );
  for (const [status, response] of Object.entries(operation.responses)) {
    t.ok(response.description, `${name} ${status}: described`);
    const json = response.content?.['application/json'];
    if (json !== undefined)
      t.ok(json.schema !== undefined && json.example !== undefined, `${name} ${status}: schema and example`);
  }
  const isWrite = (operation.parameters ?? []).some((parameter) => parameter.$ref?.endsWith('idempotencyKey'));
  if (operation['x-kind'] === 'command') t.ok(isWrite, `${name}: idempotency key`);
  const body = operation.requestBody?.content['application/json'];
  if (body !== undefined) t.ok(Object.keys(body.examples).length > 0, `${name}: an example of the body`);
}

t.test('the errors of an endpoint are known codes', async (t) => {
  for (const endpoint of ENDPOINTS)
    for (const code of errorsOf(endpoint)) t.ok(code in ERROR_CODES, `${endpoint.id} ${code}`);
});

t.test('every example works as written, and answers what is documented', async (t) => {
  for (const endpoint of ENDPOINTS) {
    for (const route of routesOf(endpoint)) {
      for (const [name, example] of Object.entries(endpoint.requestExamples)) {
        const world = await HttpWorld.open();
        const { params, body, token } = await prepareExample(world, endpoint, example);
        const query = new URLSearchParams(example.query).toString();
        const path =
          route.path.replace(/\{(\w+)\}/g, (_, param: string) => params[param] ?? '') +
          (query === '' ? '' : `?${query}`);
        const headers = endpoint.tenant === 'named' ? { 'X-Tenant': 'demo' } : {};
        const sent = { method: route.method, headers, ...(body === undefined ? {} : { body }) };
        const role = endpoint.roles === 'PUBLIC' ? 'NOBODY' : endpoint.roles[0];
        const as = token === undefined ? role : { token };
        const answer = await world.send(path, sent, as, endpoint.rootTenantOnly === true ? 'root' : 'demo');
        const title = `${route.method} ${route.path}: ${name}`;
        t.equal(answer.status, endpoint.success.status, `${title} ${answer.status < 400 ? '' : answer.text}`);
        checkAnswer(t, endpoint, title, answer);
        await world.close();
      }
    }
  }
});

function checkAnswer(
  t: Test,
  endpoint: Endpoint,
  title: string,
  answer: { text: string; headers: Record<string, unknown> },
): void {
  const { success } = endpoint;
  const type = String(answer.headers['content-type']);
  if (!type.startsWith('application/json')) {
    t.ok(
      (success.files ?? []).some((file) => type.startsWith(file)),
      `${title}: ${type}`,
    );
    return;
  }
  const body = JSON.parse(answer.text) as { data?: unknown };
  const shown = success.envelope === false ? body : body.data;
  const parsed = success.data.safeParse(shown);
  t.ok(parsed.success, `${title}: answers its schema ${parsed.success ? '' : parsed.error.message}`);
  // Members that the schema does not know were taken away by parsing. The document itself is checked above.
  if (endpoint.id !== 'openapi') t.same(parsed.data, shown, `${title}: nothing that is not documented`);
}
