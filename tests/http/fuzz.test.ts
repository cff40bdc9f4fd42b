import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { tenantIdOf } from '../../domain/shared/ids.js';
import type { Endpoint } from '../../http/endpoint.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';
import { type Answered, HttpWorld } from '../support/http-world.js';

/**
 * Requests made from the endpoints' own schemas: valid ones, ones with a member broken, and bytes that only look like
 * JSON. Whatever is sent, the answer is no 5xx, comes soon, and the books balance afterwards.
 */
const RUNS = 20;
/** In the second round the ids of holds, postings and tokens of the first are known. */
const ROUNDS = 2;
/** Another seed finds other things: pass one as an argument to look for more. */
const SEED = Number.parseInt(process.argv[2] ?? '20261122', 10);

type Schema = Readonly<Record<string, unknown>>;

const otherTenant = tenantIdOf('other');
const knownIds = [
  EXAMPLE.accountId,
  EXAMPLE.counterpartyId,
  EXAMPLE.spareId,
  EXAMPLE.ownerId,
  EXAMPLE.holdId,
  otherTenant,
  tenantIdOf('demo'),
];
/** What exists once the fuzz has begun: holds, postings, tokens. */
const living: string[] = [];
const knownNumbers = [
  EXAMPLE.accountNumber,
  EXAMPLE.counterpartyNumber,
  'JPY-1',
  'KWD-1',
  'SYS-SUSPENSE-NGN',
  'SYS-FX-POSITION-USD',
];

const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    -1,
    0.1 + 0.2,
    1e308,
    -1e308,
    5e-324,
    2 ** 53,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '😀',
    '\u202e',
    '‮abc',
    "'; drop table",
    '{{7*7}}',
    '../..',
    '%00',
    '1e400',
    'NaN',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom<unknown>([], {}, [[]], [{}], { __proto__: null, toString: 1 }, { length: -1 }, { then: 'x' }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.double(),
  fc.bigInt().map(String),
  fc.constantFrom('x'.repeat(600), 'x'.repeat(70_000)),
  fc.anything({ maxDepth: 3 }),
);

/** Values of a JSON schema: likely ones, so that some requests get far. */
function valuesOf(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  if ('const' in schema) return fc.constant(schema['const']);
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  if (alternatives !== undefined) {
    if (/amount|limit|balance/i.test(name))
      return fc.oneof(fc.constantFrom(1, 0.01, '1.00', '0.5', 10, '24.240'), fc.integer({ min: 1, max: 50 }));
    return fc.oneof(...alternatives.map((one) => valuesOf(one, name)));
  }
  switch (schema['type']) {
    case 'object':
      return objectsOf(schema);
    case 'array': {
      const least = Math.min(3, (schema['minItems'] as number | undefined) ?? 0);
      return fc.array(valuesOf((schema['items'] ?? {}) as Schema, name), { minLength: least, maxLength: 3 });
    }
    case 'string':
      return textsOf(schema, name);
    case 'integer':
    case 'number':
      return fc.integer({ min: 0, max: 1_000 });
    case 'boolean':
      return fc.boolean();
    default:
      return nasty;
  }
}

function objectsOf(schema: Schema): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const requiredKeys = (schema['required'] ?? []) as string[];
  if (Object.keys(properties).length === 0)
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 20 }), { maxKeys: 3 });
  return fc.record(Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, valuesOf(value, key)])), {
    requiredKeys,
  });
}

function textsOf(schema: Schema, name: string): fc.Arbitrary<string> {
  if (schema['format'] === 'uuid') {
    const alive = fc.nat().map((at) => living[at % Math.max(1, living.length)] ?? EXAMPLE.holdId);
    return fc.oneof(fc.constantFrom(...knownIds), fc.uuid(), alive, alive);
  }
  if (/product/i.test(name)) return fc.constantFrom('WALLET', 'TILL', 'NONE');
  if (/currency/i.test(name)) return fc.constantFrom('NGN', 'NGN', 'JPY', 'KWD', 'USD', 'XAU');
  if (/accountnumber$/i.test(name))
    return fc.oneof(fc.constantFrom(...knownNumbers), fc.string({ minLength: 1, maxLength: 20 }));
  if (/date|expiresAt|^at$|^from$|^to$|recordedAt/i.test(name))
    return fc.constantFrom(
      '2026-11-22',
      '22/11/2026',
      '2026-11-22T10:30:00Z',
      '2099-12-31',
      '1899-01-01',
      '2026-02-30',
    );
  const least = (schema['minLength'] as number | undefined) ?? 0;
  return fc.string({ minLength: least, maxLength: Math.min((schema['maxLength'] as number | undefined) ?? 30, 30) });
}

/** The value with one of its members, at any depth, put in place by something nasty, taken away, or joined by another. */
function broken(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, nasty, fc.nat(), fc.constantFrom('replace', 'remove', 'add')).map(([whole, bad, at, how]) => {
    const copy = structuredClone(whole);
    const places: Array<{ parent: Record<string, unknown>; key: string }> = [];
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const key of Object.keys(node)) {
        places.push({ parent: node as Record<string, unknown>, key });
        walk((node as Record<string, unknown>)[key]);
      }
    };
    walk(copy);
    const place = places[at % Math.max(1, places.length)];
    if (place === undefined) return bad;
    if (how === 'remove') delete place.parent[place.key];
    else if (how === 'add' && !Array.isArray(place.parent)) place.parent[`x${place.key}`] = bad;
    else place.parent[place.key] = bad;
    return copy;
  });
}

/** JSON text, and texts that a parser may trip over. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}` : member)) ?? 'null';
  } catch {
    return '{"circular":true}';
  }
}
const mangled = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc
    .tuple(
      value.map(textOf),
      fc.nat(),
      fc.constantFrom(
        '1e400',
        '1e-400',
        '0.1000000000000000055511151231257827',
        '-0',
        '99999999999999999999999999999999',
        '"\\u0000"',
        '"\\ud800"',
        '[',
        '{"a":1,"a":2}',
        '\\',
        '"',
      ),
    )
    .map(([text, at, put]) => {
      const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
      const hit = numbers[at % Math.max(1, numbers.length)];
      const index = hit?.index ?? at % (text.length + 1);
      return text.slice(0, index) + put + text.slice(index + (hit?.[0].length ?? 0));
    });

const jsonSchema = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Schema;
/** Definitions are put in place of their references. */
function inlined(schema: Schema, root: Schema = schema): Schema {
  const put = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(put);
    const reference = (value as Schema)['$ref'];
    if (typeof reference === 'string')
      return put(((root['$defs'] ?? {}) as Record<string, Schema>)[reference.slice('#/$defs/'.length)]);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, put(member)]));
  };
  return put(schema) as Schema;
}

interface Fuzzed {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: string | undefined;
  readonly key: string | undefined;
}

function requestsOf(endpoint: Endpoint): fc.Arbitrary<Fuzzed> {
  const record = (schema: z.ZodType | undefined): fc.Arbitrary<Record<string, unknown>> => {
    if (schema === undefined) return fc.constant({});
    const values = valuesOf(inlined(jsonSchema(schema))) as fc.Arbitrary<Record<string, unknown>>;
    return fc.oneof(
      { weight: 3, arbitrary: values },
      { weight: 1, arbitrary: broken(values) as fc.Arbitrary<Record<string, unknown>> },
    );
  };
  // Documented bodies too: broken in one place they get further than what is made up.
  const examples = Object.values(endpoint.requestExamples).flatMap(({ body }) => (body === undefined ? [] : [body]));
  const made = endpoint.body === undefined ? undefined : valuesOf(inlined(jsonSchema(endpoint.body)));
  const values = made === undefined || examples.length === 0 ? made : fc.oneof(made, fc.constantFrom(...examples));
  const body =
    values === undefined
      ? fc.option(nasty.map(textOf), { nil: undefined })
      : fc.oneof(
          { weight: 3, arbitrary: values.map(textOf) },
          { weight: 3, arbitrary: broken(values).map(textOf) },
          { weight: 2, arbitrary: mangled(values) },
        );
  const key = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined, freq: 3 });
  return fc.record({ params: record(endpoint.params), query: record(endpoint.query), body, key });
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'object' ? textOf(value) : String(value);
/** Lone surrogates have no UTF-8, so no URL. */
const encoded = (value: unknown): string =>
  encodeURIComponent(
    asText(value)
      .replace(/\p{Surrogate}/gu, '?')
      .slice(0, 500),
  ) || '_';

async function send(world: HttpWorld, endpoint: Endpoint, routeAt: number, fuzzed: Fuzzed): Promise<Answered> {
  const routes = routesOf(endpoint);
  const { method, path } = routes[routeAt % routes.length] ?? endpoint;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(fuzzed.params?.[name]));
  const query = Object.entries(fuzzed.query ?? {}).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const sent = {
    method,
    ...(fuzzed.body === undefined || method === 'GET' ? {} : { body: fuzzed.body }),
    ...(fuzzed.key === undefined ? {} : { headers: { 'Idempotency-Key': fuzzed.key } }),
  };
  const role = endpoint.roles === 'PUBLIC' ? 'NOBODY' : endpoint.roles[0];
  const target = query.length === 0 ? filled : `${filled}?${query.join('&')}`;
  return await world.send(target, sent, role, endpoint.rootTenantOnly === true ? 'root' : 'demo');
}

t.test('no request makes a 5xx, and the books balance after all of them', async (t) => {
  // Every request is one more token rotation, tenant or posting: nothing here may run into a limit of another kind.
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const seen = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round += 1)
    for (const endpoint of ENDPOINTS) {
      const check = fc.asyncProperty(requestsOf(endpoint), fc.nat(), async (fuzzed, routeAt) => {
        const answer = await send(world, endpoint, routeAt, fuzzed);
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        // Only tokens made here: one that the fuzz itself uses would be disabled.
        const names = endpoint.id === 'create-api-token' ? 'tokenId' : 'holdId|groupId|postingGroupId';
        for (const [, id = ''] of answer.text.matchAll(new RegExp(`"(?:${names})":"([0-9a-f-]{36})"`, 'g')))
          living.push(id);
        if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
        if (answer.status >= 400 && answer.json.responseCode !== answer.status)
          throw new Error(`no envelope: ${answer.text}`);
        // Suspending the tenant would end the fuzz of everything else.
        if (endpoint.id === 'set-tenant-status' && answer.status === 200) await revive(world);
      });
      await t.resolves(fc.assert(check, { numRuns: RUNS, seed: SEED + round, endOnFailure: true }), endpoint.id);
    }
  t.comment(`answers by status: ${JSON.stringify(Object.fromEntries(seen))}`);
  t.ok((seen.get(200) ?? 0) + (seen.get(201) ?? 0) > 100, 'many requests were good');
  t.ok((seen.get(422) ?? 0) > 100, 'many were not');

  const trial = (await world.send('/api/v6/services/ledger/trial-balance')).json.data as {
    totals: Array<{ balanced: boolean }>;
  };
  t.ok(trial.totals.length > 0 && trial.totals.every(({ balanced }) => balanced), 'the books balance');
  for (const [role, tenant] of [
    ['MANAGER', 'demo'],
    ['MANAGER', 'root'],
  ] as const) {
    t.match((await world.send('/api/v6/services/audit/verify-chain', {}, role, tenant)).json.data, { ok: true });
  }
});

async function revive(world: HttpWorld): Promise<void> {
  for (const slug of ['demo', 'other', 'corebook']) {
    const tenantId = tenantIdOf(slug);
    if ((await world.deps.readModels.tenant(tenantId))?.status !== 'SUSPENDED') continue;
    await world.command('set-tenant-status', { status: 'ACTIVE', reason: 'r' }, tenantId);
  }
}

t.test('headers that nobody sends', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const names = [
    'x-fapi-interaction-id',
    'uuid',
    'platform',
    'x-fapi-auth-date',
    'x-tenant',
    'idempotency-key',
    'accept',
    'x-forwarded-host',
    'host',
    'content-type',
    'authorization',
    'if-none-match',
    'range',
    'expect',
  ];
  // What a header can hold at all: the client refuses anything else.
  const value = fc.string({ maxLength: 200 }).map((text) => text.replace(/[^\x20-\x7e]/g, '?'));
  const check = fc.asyncProperty(
    fc.constantFrom(...names),
    value,
    fc.constantFrom('GET', 'POST'),
    async (name, text, method) => {
      const path =
        method === 'GET'
          ? `/api/v6/services/ledger/account-balance/${EXAMPLE.accountId}`
          : '/api/v6/services/gateway/post-account';
      const answer = await world.send(path, {
        method,
        headers: { [name]: text },
        ...(method === 'GET' ? {} : { body: [] }),
      });
      if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
    },
  );
  await t.resolves(fc.assert(check, { numRuns: 300, seed: SEED, endOnFailure: true }));
});

t.test('paths that nobody wrote', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const part = fc.oneof(
    fc.constantFrom(
      'api',
      'v6',
      'services',
      'ledger',
      'account-balance',
      '..',
      '.',
      '',
      '%2e%2e',
      '%00',
      '%',
      '%zz',
      'docs',
      'post-account',
    ),
    fc.webPath(),
  );
  const check = fc.asyncProperty(
    fc.array(part, { maxLength: 8 }),
    fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS', 'PATCH'),
    async (parts, method) => {
      const answer = await world.send(`/${parts.join('/')}`.replace(/[^\x21-\x7e]/g, '_'), { method });
      if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
    },
  );
  await t.resolves(fc.assert(check, { numRuns: 300, seed: SEED, endOnFailure: true }));
});
