import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Overloaded, Unavailable } from '../../application/commands.js';
import { closeHttpServer } from '../../http/app.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { createLogger } from '../../http/logging.js';
import { type Answered, HttpWorld, transfer, overriding } from '../support/http-world.js';

const POST = '/api/v6/services/gateway/post-account';
const BALANCE = `/api/v6/services/ledger/account-balance/${EXAMPLE.accountId}`;

t.test('the envelope', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());

  await t.test('of a success', async (t) => {
    const { status, json, headers } = await world.send(BALANCE, {
      headers: { 'x-fapi-interaction-id': 'interaction-12345' },
    });
    t.equal(status, 200);
    t.match(json, {
      status: 'SUCCESS',
      success: true,
      responseCode: 200,
      message: 'Account balance details',
      data: { currencyCode: 'NGN' },
    });
    t.match(json.metadata, { request_id: 'interaction-12345', timestamp: /^\d{4}-.*Z$/, processing_time_ms: Number });
    t.equal(headers['x-fapi-interaction-id'], 'interaction-12345');
    t.equal(headers['content-type'], 'application/json; charset=utf-8');
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.equal(headers['cache-control'], 'no-store');
    t.equal(headers['x-powered-by'], undefined);
  });

  await t.test('of a failure, always with the true status', async (t) => {
    const { status, json } = await world.send(POST, { body: [transfer('x')] });
    t.equal(status, 422);
    t.match(json, { status: 'FAILED', success: false, responseCode: 422, errorCode: 'VALIDATION_ERROR', data: null });
    t.match(json.errors, [{ field: '0.counterParties.0.amount', code: 'INVALID_AMOUNT' }]);
    t.equal(json.metadata?.retryable, false);
  });

  await t.test('as an RFC 9457 problem', async (t) => {
    const { status, json, headers } = await world.send(POST, {
      body: [transfer(10 ** 9)],
      headers: { Accept: 'application/problem+json' },
    });
    t.equal(status, 422);
    t.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
    t.match(json, {
      ...{ type: 'urn:corebook:problem:insufficient-funds', title: 'Insufficient funds', status: 422, instance: POST },
      ...{
        errorCode: 'INSUFFICIENT_FUNDS',
        retryable: false,
        request_id: String,
        errors: [{ code: 'INSUFFICIENT_FUNDS' }],
      },
    });
    const success = await world.send(BALANCE, { headers: { Accept: 'application/problem+json' } });
    t.equal(success.json.status, 'SUCCESS', 'a success keeps its envelope');
  });

  await t.test('with members in error by name', async (t) => {
    const { counterParties: _, ...incomplete } = transfer(1);
    const { json } = await world.send(POST, {
      body: [{ ...incomplete, currencyCode: 5, extra: 1, narration: 'x'.repeat(600) }],
    });
    const codes = Object.fromEntries((json.errors ?? []).map(({ field, code }) => [field, code]));
    t.same(codes, {
      '0.counterParties': 'REQUIRED',
      '0.currencyCode': 'INVALID_TYPE',
      '0.extra': 'UNKNOWN_MEMBER',
      '0.narration': 'TOO_LONG',
    });
  });
});

t.test('what is no request of ours', async (t) => {
  const world = await HttpWorld.open({ config: { bodyLimitBytes: 2_000 } });
  t.teardown(() => world.close());
  const check = (answer: Answered, status: number, errorCode: string, message: string) =>
    t.match(
      { ...answer.json, http: answer.status },
      { http: status, responseCode: status, errorCode, success: false },
      message,
    );

  check(await world.send('/nowhere'), 404, 'NOT_FOUND', 'unknown path');
  check(await world.send(`${POST}/`, { body: [] }), 404, 'NOT_FOUND', 'a slash more is another path');
  check(await world.send('/API/v6/services/gateway/post-account', { body: [] }), 404, 'NOT_FOUND', 'case counts');
  const wrong = await world.send(POST);
  check(wrong, 405, 'METHOD_NOT_ALLOWED', 'GET of a POST');
  t.equal(wrong.headers['allow'], 'POST');
  check(await world.send(BALANCE, { method: 'PATCH' }), 405, 'METHOD_NOT_ALLOWED', 'an unknown method');
  for (const path of [POST, '/health', BALANCE]) {
    const options = await world.send(path, { method: 'OPTIONS' }, 'NOBODY');
    t.match(options, { status: 200, text: '', headers: { allow: path === POST ? 'POST' : 'GET' } }, `OPTIONS ${path}`);
  }
  check(await world.send('/nowhere', { method: 'OPTIONS' }), 404, 'NOT_FOUND', 'OPTIONS of nothing');
  check(await world.send('/health', { method: 'POST' }), 405, 'METHOD_NOT_ALLOWED', 'through Express');
  check(await world.send(BALANCE, { headers: { Accept: 'text/xml' } }), 406, 'NOT_ACCEPTABLE', 'Accept');
  check(await world.send(POST, { body: `[${' '.repeat(3_000)}]` }), 413, 'PAYLOAD_TOO_LARGE', 'announced length');
  check(await world.send(POST, { body: `[${' '.repeat(90_000)}]` }), 413, 'PAYLOAD_TOO_LARGE', 'far too large');
  check(await chunked(world, `[${' '.repeat(9_000)}]`), 413, 'PAYLOAD_TOO_LARGE', 'chunked');
  check(
    await world.send(POST, { body: '[]', headers: { 'Content-Type': 'text/plain' } }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'media type',
  );
  check(
    await world.send(POST, { body: '[]', headers: { 'Content-Encoding': 'gzip' } }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'compression',
  );
  check(await world.send(POST, { body: '[{]' }), 422, 'VALIDATION_ERROR', 'not JSON');
  check(await world.send(POST, { body: Buffer.from([0x22, 0xff, 0x22]) }), 422, 'VALIDATION_ERROR', 'not UTF-8');
  check(await world.send(POST, { method: 'POST' }), 422, 'VALIDATION_ERROR', 'no body');
  check(await world.send(`${BALANCE}%E0%A4%A`), 422, 'VALIDATION_ERROR', 'percent-encoding');
  check(
    await world.send('/api/v6/services/account-maintenance/account/%E0%A4%A'),
    422,
    'VALIDATION_ERROR',
    'percent-encoding, through Express',
  );
  check(
    await world.send('/api/v6/services/ledger/trial-balance?currency=NGN&currency=USD'),
    422,
    'VALIDATION_ERROR',
    'a parameter twice',
  );
  check(
    await world.send('/api/v6/services/ledger/trial-balance?currency=%00'),
    422,
    'VALIDATION_ERROR',
    'a control character',
  );
  check(
    await world.send(POST, { body: [], headers: { 'Idempotency-Key': 'a', 'X-Idempotency-Key': 'b' } }),
    422,
    'VALIDATION_ERROR',
    'two keys',
  );
  t.equal((await world.send(BALANCE, { method: 'HEAD' })).status, 200, 'HEAD of a query');
  t.equal((await world.send(BALANCE)).status, 200, 'the server is none the worse');
});

t.test('bytes that are not HTTP', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  t.match(await raw(world, 'rubbish\r\n\r\n'), /^HTTP\/1\.1 422 .*"errorCode":"VALIDATION_ERROR"/s);
  t.match(
    await raw(world, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 .*"errorCode":"HEADERS_TOO_LARGE"/s,
  );
  const smuggled = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  t.match(await raw(world, smuggled), /^HTTP\/1\.1 4/, 'length and chunks at once');
});

t.test('the same requests through the dispatcher and through Express', async (t) => {
  const [direct, express] = [await HttpWorld.open(), await HttpWorld.open({ config: { hotPath: false } })];
  t.teardown(() => Promise.all([direct.close(), express.close()]));
  const account = '/api/v6/services/account-maintenance';
  const requests: ReadonlyArray<
    readonly [string, Parameters<HttpWorld['send']>[1]?, Parameters<HttpWorld['send']>[2]?]
  > = [
    [POST, { body: [transfer(1, { instructionIdempotencykey: 'same' })] }],
    [POST, { body: [transfer(1, { instructionIdempotencykey: 'same' })] }],
    [POST, { body: [transfer(2, { instructionIdempotencykey: 'same' })] }],
    [POST, { body: '{' }],
    [POST, { body: [transfer(1)] }, 'CUSTOMER'],
    [POST, { body: [transfer(1)] }, { token: 'no' }],
    [`${POST}?mode=nonsense`, { body: [transfer(1)] }],
    [BALANCE],
    [BALANCE, {}, 'ANALYST'],
    [BALANCE, { headers: { Accept: 'text/xml' } }],
    [BALANCE, { method: 'HEAD' }],
    [`${BALANCE}x`],
    ['/api/v6/services/ledger/account-balance/%zz'],
    [`/api/v6/services/ledger/account-balance/${EXAMPLE.accountId.toUpperCase()}`],
    [`${account}/freeze-account/${EXAMPLE.spareId}`, { method: 'PUT', body: { scope: 'ALL', reason: 'r' } }],
    [`${account}/freeze-account/${EXAMPLE.spareId}`, { method: 'PUT', body: { scope: 'ALL', reason: 'r' } }],
    [`${account}/unfreeze-account/${EXAMPLE.spareId}`, { method: 'PUT' }],
    [`${account}/change-account-permission/${EXAMPLE.spareId}/READ_ONLY`],
    [`${account}/change-account-permission/${EXAMPLE.spareId}/READ_ONLY`, { method: 'HEAD' }],
    [`${account}/change-account-permission/${EXAMPLE.spareId}/NOTHING`, { method: 'PUT' }],
  ];
  for (const [path, sent, as] of requests) {
    const [a, b] = [await direct.send(path, sent, as), await express.send(path, sent, as)];
    t.same(comparable(a), comparable(b), `${sent?.method ?? ''} ${path} ${a.status}`);
  }
});

/** Without what differs between any two calls: ids, times, positions. */
function comparable(answer: Answered): unknown {
  const { date: _, 'x-fapi-interaction-id': __, ...headers } = answer.headers;
  const text = answer.text
    .replace(/01[0-9a-f]{6}-[0-9a-f]{4}-[0-9a-f-]{22}/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[0-9:.]+Z/g, 'TIME')
    .replace(/"processing_time_ms":\d+/, '');
  return { status: answer.status, text, headers: { ...headers, 'content-length': 'same' } };
}

t.test('a state change by GET is not made by HEAD', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const path = `/api/v6/services/account-maintenance/change-account-permission/${EXAMPLE.spareId}/READ_ONLY`;
  t.equal((await world.send(path, { method: 'HEAD' })).status, 405);
  t.match((await world.send(`/api/v6/services/account-maintenance/account/${EXAMPLE.spareId}`)).json.data, {
    permission: 'FULL_ACCESS',
  });
});

t.test('too much work, an unreachable log and a defect', async (t) => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  let error: Error = new Overloaded(7);
  const world = await HttpWorld.open({
    bus: { execute: () => Promise.reject(error) },
    logger: createLogger({ level: 'info', destination }),
    config: { accessLog: { mode: 'all', sampleEvery: 1, slowMs: 1_000 } },
  });
  t.teardown(() => world.close());
  const overloaded = await world.send(POST, { body: [transfer(1)] });
  t.match(overloaded, {
    status: 503,
    json: { errorCode: 'SERVICE_UNAVAILABLE', metadata: { retryable: true } },
    headers: { 'retry-after': '7' },
  });
  const independent = await world.send(`${POST}?mode=independent`, { body: [transfer(1), transfer(2)] });
  t.match(independent.json.data, [
    { status: 'FAILED', errorCode: 'SERVICE_UNAVAILABLE', retryable: true },
    { status: 'FAILED' },
  ]);
  error = new Unavailable('secret host name');
  const unavailable = await world.send(POST, { body: [transfer(1)] });
  t.match(unavailable, { status: 503, json: { errorCode: 'SERVICE_UNAVAILABLE', metadata: { retryable: true } } });
  t.notMatch(unavailable.text, 'secret');
  error = new Error('a defect with a password in it');
  const defect = await world.send(POST, { body: [transfer(1)] });
  t.match(defect, { status: 500, json: { errorCode: 'SERVER_ERROR', message: 'Internal error', errors: [] } });
  t.notMatch(defect.text, 'password');
  const logged = lines.join('');
  t.match(logged, '"msg":"defect"', 'a defect is logged once');
  t.equal(lines.filter((line) => line.includes('"msg":"defect"')).length, 1);
  t.match(logged, `"path":"${POST}"`);
  t.notMatch(logged, await world.token('MANAGER'), 'no token in any log line');
});

t.test('logged headers and secrets are redacted', async (t) => {
  let line = '';
  const destination = new Writable({
    write(chunk: Buffer, _, done) {
      line += chunk.toString();
      done();
    },
  });
  const logger = createLogger({ level: 'info', destination });
  logger.info(
    {
      headers: { 'x-auth-token': 'secret-1', authorization: 'secret-2' },
      token: 'secret-3',
      a: { b: { password: 'secret-4' } },
    },
    'x',
  );
  t.notMatch(line, 'secret-');
  t.match(line, '[redacted]');
});

t.test('rate limits', async (t) => {
  const rateLimits = {
    perTokenPerMinute: 5,
    perAddressPerMinute: 1_000,
    perTenantPerMinute: 1e6,
    guessesPerAddressPerMinute: 1e6,
    unauthorisedPerMinute: 3,
  };
  const world = await HttpWorld.open({ config: { rateLimits } });
  t.teardown(() => world.close());
  for (let i = 0; i < 5; i += 1) t.equal((await world.send(BALANCE)).status, 200);
  const limited = await world.send(BALANCE);
  t.match(limited, {
    status: 429,
    json: { errorCode: 'RATE_LIMIT_EXCEEDED', metadata: { retryable: true } },
    headers: { 'ratelimit-limit': '5', 'ratelimit-remaining': '0' },
  });
  t.ok(Number.parseInt(String(limited.headers['retry-after']), 10) >= 1);
  t.equal((await world.send(BALANCE, {}, 'AUDITOR')).status, 200, 'another token has its own bucket');
  const statuses: number[] = [];
  for (let i = 0; i < 5; i += 1) statuses.push((await world.send(BALANCE, {}, { token: 'guess' })).status);
  t.same(statuses, [401, 401, 401, 429, 429], 'guessing is limited sooner');

  const small = await HttpWorld.open({ config: { rateLimits: { ...rateLimits, perAddressPerMinute: 2 } } });
  t.teardown(() => small.close());
  t.same(
    [(await small.send('/health')).status, (await small.send('/health')).status, (await small.send('/health')).status],
    [200, 200, 429],
  );
});

t.test('X-Min-Position', async (t) => {
  const world = await HttpWorld.open({ config: { positionWaitMs: 50 } });
  t.teardown(() => world.close());
  const posted = await world.send(POST, { body: [transfer(1)] });
  const position = String(posted.headers['x-position']);
  t.equal(posted.json.metadata?.position, position);
  t.equal((await world.send(BALANCE, { headers: { 'X-Min-Position': position } })).status, 200);
  const late = await world.send(BALANCE, { headers: { 'X-Min-Position': '999999' } });
  t.match(late, { status: 503, json: { metadata: { retryable: true } }, headers: { 'retry-after': '1' } });
  for (const wrong of ['x', '-1', '1.5', '9'.repeat(30), '1;2']) {
    t.equal((await world.send(BALANCE, { headers: { 'X-Min-Position': wrong } })).status, 422, wrong);
  }
});

t.test('readiness', async (t) => {
  const checks = [
    { name: 'log', check: () => Promise.resolve({ ok: true }) },
    { name: 'projections', check: () => Promise.resolve({ ok: false, detail: 'balances is parked' }) },
    { name: 'broken', check: () => Promise.reject(new Error('host 10.0.0.1')) },
    { name: 'hanging', check: () => new Promise<{ ok: boolean }>(() => undefined) },
  ];
  const world = await HttpWorld.open({ readiness: checks });
  t.teardown(() => world.close());
  const answer = await world.send('/readyz', {}, 'NOBODY');
  t.equal(answer.status, 503);
  t.same(JSON.parse(answer.text), {
    status: 'NOT_READY',
    checks: [
      { name: 'log', ok: true },
      { name: 'projections', ok: false, detail: 'balances is parked' },
      { name: 'broken', ok: false, detail: 'failed' },
      { name: 'hanging', ok: false, detail: 'no answer in time' },
    ],
  });
  t.equal((await world.send('/healthz', {}, 'NOBODY')).text, '{"status":"UP"}');
  t.match(
    (await world.send('/metrics', {}, 'NOBODY')).text,
    'corebook_http_requests_total{endpoint="ready",status="503"} 1',
  );
});

t.test('the reference page runs under its own strict policy', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const page = await world.send('/docs', {}, 'NOBODY');
  t.equal(page.status, 200);
  const policy = String(page.headers['content-security-policy']);
  t.match(policy, /script-src 'self';/);
  t.notMatch(policy, /https?:|unsafe-eval/);
  const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
  t.ok(parts.length >= 4 && parts.every((link) => link.startsWith('/')), 'nothing comes from elsewhere');
  t.notMatch(page.text, /<script>|\son\w+=/, 'no inline script');
  for (const link of parts) t.equal((await world.send(link, {}, 'NOBODY')).status, 200, link);
  t.equal((await world.send('/docs/../package.json', {}, 'NOBODY')).status, 404);
  t.equal((await world.send('/docs/swagger-ui.js.map', {}, 'NOBODY')).status, 404);
});

t.test('closing: what runs is finished, then no more', async (t) => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const world = await HttpWorld.open({
    readModels: (folded) =>
      overriding(folded, {
        account: async (tenantId: string, accountId: string) => {
          await held;
          return await folded.account(tenantId, accountId);
        },
      }),
  });
  await world.token('MANAGER');
  const running = world.send(BALANCE);
  await sleep(50);
  const closing = closeHttpServer(world.server, world.deps, 2_000);
  await t.rejects(world.send('/health', {}, 'NOBODY'), /ECONNREFUSED/);
  release();
  const answer = await running;
  t.equal(answer.status, 200);
  t.equal(answer.headers['connection'], 'close');
  await closing;
  await world.closeCore();
});

t.test('closing does not wait for ever', async (t) => {
  const world = await HttpWorld.open({
    readModels: (folded) => overriding(folded, { account: () => new Promise(() => undefined) }),
  });
  await world.token('MANAGER');
  const running = world.send(BALANCE).catch((error: Error) => error.message);
  await sleep(50);
  const started = world.clock.nowMs();
  await closeHttpServer(world.server, world.deps, 100);
  t.ok(world.clock.nowMs() - started < 1_500);
  t.match(await running, /hang up|ECONNRESET/);
  await world.closeCore();
});

t.test('a client that goes away while it sends', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const token = await world.token('MANAGER');
  await new Promise<void>((resolve) => {
    const socket = connect(world.port, '127.0.0.1', () => {
      socket.write(
        `POST ${POST} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n[{`,
      );
      setTimeout(() => socket.destroy(), 50);
    });
    socket.on('close', () => resolve());
  });
  await sleep(50);
  t.equal((await world.send(BALANCE)).status, 200);
});

function raw(world: HttpWorld, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(world.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
  });
}

async function chunked(world: HttpWorld, body: string): Promise<Answered> {
  return await world.send(POST, {
    body,
    headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
  });
}
