import t from 'tap';
import type { CommittedEvent } from '../../application/commands.js';
import { keyOf, requestHash } from '../../application/idempotency.js';
import { expiryOf, mayGrant } from '../../application/access/api-tokens.js';
import { REFUSAL_CODES } from '../../domain/shared/refusal.js';
import { Findings, amountIn, amountOut } from '../../http/amounts.js';
import { tokenOf } from '../../http/caller.js';
import { acceptedFormat, correlationIdOf, idempotencyKeyOf } from '../../http/headers.js';
import { MAX_DEPTH, RawJson, jsonText, parseJson } from '../../http/json.js';
import { postingShape, postingText } from '../../http/ledger/entry-shape.js';
import { statementCsv } from '../../http/ledger/statement-csv.js';
import { ERROR_CODES, REFUSALS, refusalFailure } from '../../http/problem.js';
import { renamed } from '../../http/request-body.js';
import { Router, decodeParams } from '../../http/router.js';
import { dateIn, dateOf, instantIn } from '../../http/schemas.js';

const ids = { eventId: () => 'generated', random: () => 0 };
const value = (text: string): unknown => {
  const result = parseJson(text);
  return 'value' in result ? result.value : result.error;
};

t.test('numbers that a double would change arrive as text', async (t) => {
  t.same(value('[1, 1500.00, -24.24, 0.1, 123456789012345]'), [1, 1500, -24.24, 0.1, 123456789012345]);
  t.same(value('[0.30000000000000004]'), ['0.30000000000000004']);
  t.same(value('[1e400, 1E2, -1.5e-7]'), ['1e400', '1E2', '-1.5e-7']);
  t.same(value('{"a":12345678901234567890.12}'), { a: '12345678901234567890.12' });
  t.same(
    value('["1e400", "12345678901234567890", "a \\" 1e5"]'),
    ['1e400', '12345678901234567890', 'a " 1e5'],
    'strings are left alone',
  );
  t.same(value('{"1e5":1e5}'), { '1e5': '1e5' });
  t.same(value('{"a":1,"a":2}'), { a: 2 }, 'the last of duplicate members counts');
  t.same(value('["\\\\",1e5]'), ['\\', '1e5'], 'an escaped backslash ends no string early');
});

t.test('what is not JSON is refused', async (t) => {
  for (const text of [
    '',
    '{',
    '[1,]',
    '01',
    '1e',
    '-',
    '1.2.3',
    '{"a":12345678901234567.}',
    '[1e5e5]',
    'NaN',
    '"\u0001"',
    "{'a':1}",
  ]) {
    t.equal(value(text), 'MALFORMED_JSON', JSON.stringify(text));
  }
});

t.test('nesting is bounded, without recursion', async (t) => {
  t.not(value('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH)), 'TOO_DEEP');
  t.equal(value('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1)), 'TOO_DEEP');
  t.equal(value('{"a":'.repeat(200_000)), 'TOO_DEEP');
  t.same(
    value('["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]'),
    ['[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['],
    'brackets in strings do not count',
  );
});

t.test('texts have no control characters and no lone surrogates', async (t) => {
  for (const text of ['"\\u0000"', '"\\ud800"', '{"\\u0007":1}', '["\\udc00x"]', '"\u007f"', '"\\u0085"'])
    t.equal(value(text), 'INVALID_TEXT', text);
  t.same(value('["\\t\\n\\r", "\\ud83d\\ude00", "é", "日本"]'), ['\t\n\r', '😀', 'é', '日本']);
});

t.test('decimals leave with all their digits', async (t) => {
  t.equal(jsonText({ a: amountOut(150000n, 'NGN') }), '{"a":1500}');
  t.equal(jsonText({ a: amountOut(-5n, 'KWD'), b: amountOut('7', 'JPY') }), '{"a":-0.005,"b":7}');
  t.equal(jsonText([amountOut(123456789012345678901234n, 'NGN')]), '[1234567890123456789012.34]');
  t.equal(
    jsonText({ narration: '\\u0000123' }),
    '{"narration":"\\\\u0000123"}',
    'a text that looks like the mark stays a text',
  );
  t.equal(jsonText({ narration: '"\\u0000123"' }), JSON.stringify({ narration: '"\\u0000123"' }));
  t.equal(jsonText(new RawJson('[1500.00]')), '[1500.00]');
});

t.test('amounts are exact and told apart when they are not', async (t) => {
  const read = (amount: number | string, currency: string) => {
    const findings = new Findings();
    const minor = amountIn(amount, currency, 'amount', findings);
    return findings.errors[0]?.code ?? minor;
  };
  t.equal(read(24.24, 'NGN'), 2424n);
  t.equal(read('24.240', 'NGN'), 2424n, 'trailing zeros pass');
  t.equal(read('24.241', 'NGN'), 'TOO_MANY_DECIMALS');
  t.equal(read(1.5, 'JPY'), 'TOO_MANY_DECIMALS');
  t.equal(read(1.005, 'KWD'), 1005n);
  t.equal(read('1.0005', 'KWD'), 'TOO_MANY_DECIMALS');
  t.equal(read('1e400', 'NGN'), 'INVALID_AMOUNT');
  t.equal(read(1e-7, 'NGN'), 'INVALID_AMOUNT');
  t.equal(read(0.1 + 0.2, 'NGN'), 'TOO_MANY_DECIMALS');
  t.equal(read('99999999999999999999999999', 'NGN'), 'AMOUNT_TOO_LARGE');
  t.equal(read(0, 'NGN'), 'AMOUNT_OUT_OF_RANGE');
  t.equal(read(-1, 'NGN'), 'AMOUNT_OUT_OF_RANGE');
  t.equal(read(1, 'XXY'), 'UNKNOWN_CURRENCY');
  for (const text of ['', ' 1', '1 ', '+1', '0x10', '1,5', '١', 'NaN', 'Infinity', '.5', '5.'])
    t.equal(read(text, 'NGN'), 'INVALID_AMOUNT', text);
});

t.test('dates and instants in every documented form', async (t) => {
  t.equal(dateOf('2026-02-28'), '2026-02-28');
  t.equal(dateOf('28/02/2026'), '2026-02-28');
  t.equal(dateOf('2026-02-28T23:30:00-02:00'), '2026-03-01', 'an instant gives its day in UTC');
  t.equal(dateOf('28-02-2026T10:00:00.000'), '2026-02-28');
  for (const text of ['2026-02-30', '30/02/2026', '2026-13-01', '1899-12-31', 'today', '', '2026-2-3'])
    t.equal(dateOf(text), undefined, text);
  t.equal(instantIn.parse('2026-11-22T10:30'), '2026-11-22T10:30:00.000Z');
  t.equal(instantIn.parse('2026-11-22T10:30:00+0100'), '2026-11-22T09:30:00.000Z');
  t.equal(instantIn.parse('2026-11-22'), '2026-11-22T00:00:00.000Z');
  t.notOk(instantIn.safeParse('2026-02-30T10:30:00Z').success);
  t.notOk(dateIn.safeParse('+012345-01-01').success);
});

t.test('routes match exactly', async (t) => {
  const router = new Router<string>();
  router.add({ method: 'GET', path: '/a/b' }, 'fixed');
  router.add({ method: 'GET', path: '/a/{x}' }, 'wild');
  router.add({ method: 'POST', path: '/a/{x}/' }, 'slash');
  router.add({ method: 'GET', path: '/a/{x}/c/{y}' }, 'deep');
  const found = (method: string, path: string) => router.match(method, path)?.found;
  t.equal(found('GET', '/a/b'), 'fixed');
  t.equal(found('HEAD', '/a/b'), 'fixed');
  t.equal(found('GET', '/a/z'), 'wild');
  t.equal(found('POST', '/a/z/'), 'slash');
  t.equal(found('GET', '/a/z/'), undefined);
  t.same(router.match('GET', '/a/z/')?.allowed, ['POST']);
  t.same(router.match('GET', '/a/1/c/2%20x')?.values, ['1', '2%20x']);
  t.equal(router.match('GET', '/A/b'), undefined, 'case counts');
  t.equal(router.match('GET', '/a/'), undefined, 'a parameter is not empty');
  t.equal(router.match('GET', '//a/b'), undefined);
  t.throws(() => router.add({ method: 'GET', path: '/a/{other}' }, 'again'), /defined twice/);
  t.same(decodeParams(['x'], ['%41']), { x: 'A' });
  t.equal(decodeParams(['x'], ['%E0%A4%A']), undefined);
});

t.test('headers', async (t) => {
  t.equal(correlationIdOf({ 'x-fapi-interaction-id': 'interaction-1' }, ids), 'interaction-1');
  t.equal(correlationIdOf({ uuid: '200' }, ids), 'generated', 'the documented constant is no id');
  t.equal(
    correlationIdOf({ uuid: '2F1D8F86-14A3-4A53-A1B7-54A3A3E5C0DE' }, ids),
    '2f1d8f86-14a3-4a53-a1b7-54a3a3e5c0de',
  );
  t.equal(correlationIdOf({ 'x-fapi-interaction-id': 'a'.repeat(200) }, ids), 'generated');
  t.equal(correlationIdOf({ 'x-fapi-interaction-id': 'a\u00ff' }, ids), 'generated');
  t.equal(idempotencyKeyOf({ 'x-idempotency-key': 'k' }), 'k');
  t.equal(idempotencyKeyOf({ 'idempotency-key': 'k', 'x-idempotency-key': 'k' }), 'k');
  t.throws(() => idempotencyKeyOf({ 'idempotency-key': 'k', 'x-idempotency-key': 'l' }));
  t.throws(() => idempotencyKeyOf({ 'idempotency-key': '' }));
  t.throws(() => idempotencyKeyOf({ 'idempotency-key': 'x'.repeat(256) }));
  t.equal(tokenOf({ 'x-auth-token': 'a' }), 'a');
  t.equal(tokenOf({ authorization: 'Bearer  a' }), 'a');
  t.equal(tokenOf({ authorization: 'bearer a', 'x-auth-token': 'a' }), 'a');
  t.equal(tokenOf({ authorization: 'Bearer b', 'x-auth-token': 'a' }), undefined, 'two tokens are none');
  t.equal(tokenOf({ authorization: 'Basic YTpi' }), undefined);
  t.equal(acceptedFormat('text/html, application/problem+json', []), 'problem');
  t.equal(acceptedFormat('text/html;q=0.9, */*;q=0.1', []), 'json');
  t.equal(acceptedFormat('application/json;q=0', []), undefined);
  t.equal(acceptedFormat('text/csv', ['text/csv']), 'json');
  t.equal(acceptedFormat('text/xml', []), undefined);
});

t.test('idempotency digests', async (t) => {
  t.match(keyOf('t', 'o', 'k'), /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  t.equal(keyOf('t', 'o', 'k'), keyOf('t', 'o', 'k'));
  t.equal(
    new Set([
      keyOf('t', 'o', 'k'),
      keyOf('u', 'o', 'k'),
      keyOf('t', 'p', 'k'),
      keyOf('t', 'o', 'l'),
      keyOf('to', '', 'k'),
    ]).size,
    5,
  );
  t.match(requestHash('a', 'b'), /^[0-9a-f]{32}$/);
  t.not(requestHash('a', 'bc'), requestHash('ab', 'c'), 'fields do not run into each other');
});

t.test('every refusal has its answer', async (t) => {
  for (const refused of REFUSAL_CODES) {
    const failure = refusalFailure({ refused, message: 'm', field: 'f' });
    t.ok(ERROR_CODES[REFUSALS[refused]].status >= 400 && ERROR_CODES[REFUSALS[refused]].status < 500, refused);
    t.equal(failure.errors[0]?.field, 'f');
  }
  t.equal(refusalFailure({ refused: 'tenant-exists', message: 'm' }).errors[0]?.code, 'DUPLICATE');
  t.equal(refusalFailure({ refused: 'hold-not-active', message: 'm' }).errors[0]?.code, 'HOLD_NOT_ACTIVE');
});

t.test('clean spellings', async (t) => {
  const spellings = { clean: 'wyre' };
  t.same(renamed({ clean: 1 }, spellings), { wyre: 1 });
  t.same(renamed({ clean: 1, wyre: 1 }, spellings), { wyre: 1 }, 'both, the same');
  t.same(renamed({ clean: 1, wyre: 2 }, spellings), { clean: 1, wyre: 2 }, 'both, differing: left to be refused');
  t.equal(renamed(null, spellings), null);
  t.same(renamed([1], spellings), [1]);
});

t.test('token lives are calendar months, and grants a subset', async (t) => {
  t.equal(expiryOf(Date.parse('2026-01-31T12:00:00Z'), 'M1'), '2026-02-28T12:00:00.000Z');
  t.equal(expiryOf(Date.parse('2024-02-29T12:00:00Z'), 'Y1'), '2025-02-28T12:00:00.000Z');
  t.equal(expiryOf(Date.parse('2026-11-22T12:00:00Z'), 'M3'), '2027-02-22T12:00:00.000Z');
  t.equal(expiryOf(Date.parse('2026-11-22T12:00:00Z'), 'H24'), '2026-11-23T12:00:00.000Z');
  t.ok(mayGrant({ roles: ['MANAGER'] }, ['AUDITOR', 'CUSTOMER']));
  t.ok(mayGrant({ roles: ['AGENT', 'CASHIER'] }, ['CASHIER']));
  t.notOk(mayGrant({ roles: ['AGENT'] }, ['AGENT', 'CASHIER']));
});

t.test('the posting text is the posting shape', async (t) => {
  const line = { account: 'a'.repeat(36), currency: 'KWD', amount: '1500', sequence: 1 };
  const event: CommittedEvent = {
    id: '019aac3a-7d50-6f2e-8c41-5b0d9e3f0000',
    type: 'entry-posted',
    version: 1,
    tags: [],
    recordedAt: '2026-11-22T10:30:00.000Z',
    effectiveAt: '2026-11-21',
    meta: { actor: 'token:"x"', correlation: 'c\\d' },
    data: {
      kind: 'posting',
      valueDate: '2026-11-21',
      narration: 'tab\there "quoted"',
      reference: '\u2028日本',
      instructionKey: 'k"',
      lines: [
        { ...line, side: 'debit', balance: '-500', narration: 'own' },
        { ...line, side: 'credit', balance: '123456789012345678901234' },
      ],
    },
  };
  const shown = postingShape.strict().parse(JSON.parse(postingText(event)));
  t.match(shown, {
    postingGroupId: event.id,
    instructionIdempotencykey: 'k"',
    replayed: false,
    valueDate: '2026-11-21',
    entries: [
      {
        transactionId: '019aac3a-7d50-6f2e-8c41-5b0d9e3f0001',
        transactionAmount: 1.5,
        previousAccountBalance: 1,
        newBalance: -0.5,
        narration: 'own',
      },
      {
        ledgerType: 'CREDIT',
        narration: 'tab\there "quoted"',
        paymentReference: '\u2028日本',
        externalCorrelationId: 'c\\d',
        actionPerformedByUser: 'token:"x"',
      },
    ],
  });
  t.match(postingText(event), '"newBalance":123456789012345678901.234');
});

t.test('a statement in a spreadsheet runs nothing', async (t) => {
  const line = {
    ...{
      lineId: 'l',
      entryId: 'e',
      revision: 1,
      lineIndex: 0,
      accountId: 'a',
      currency: 'NGN',
      side: 'debit' as const,
    },
    ...{
      amount: 150n,
      balanceBefore: 0n,
      balanceAfter: -150n,
      sequence: 1,
      valueDate: '2026-11-22',
      recordedAt: 'r',
      kind: 'posting',
    },
    ...{
      reference: '@SUM(A1)',
      instructionKey: null,
      correlationId: 'c',
      actor: 'a',
      reverses: null,
      reversedBy: null,
    },
  };
  const account = {
    ...{
      accountId: 'a',
      number: '1',
      name: 'n',
      owner: 'o',
      currency: 'NGN',
      kind: 'LIABILITY' as const,
      product: 'WALLET',
      systemRole: null,
    },
    ...{
      status: 'ACTIVATED' as const,
      permission: 'FULL_ACCESS' as const,
      frozen: null,
      ledger: -150n,
      held: 0n,
      liens: 0n,
      overdraftLimit: 0n,
    },
    ...{ minimumBalance: 0n, maximumBalance: null, sequence: 1, openedAt: 'o', closedAt: null },
  };
  const text = statementCsv({
    ...{
      account,
      fromDate: '2026-11-01',
      toDate: '2026-11-30',
      openingBalance: 0n,
      closingBalance: -150n,
      totalDebits: 150n,
      totalCredits: 0n,
    },
    ...{
      lines: [
        { ...line, narration: '=HYPERLINK("x")' },
        { ...line, narration: 'a,"b"\nc' },
      ],
      truncated: false,
    },
  });
  t.match(text, /,"'=HYPERLINK\(""x""\)",'@SUM\(A1\),1\.50,,-1\.50,NGN\r\n/);
  t.match(text, /"a,""b""\nc"/);
  t.match(text, /^valueDate,.*\r\n2026-11-01,,,,Opening balance,,,,0\.00,NGN\r\n/);
});
