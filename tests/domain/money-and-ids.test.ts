/** Money, ids and account numbers, against numbers that nobody here made up where there are any. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { decodeTime, isValid, uuidToULID } from 'ulid';
import { accountNumberOf, isAccountNumber } from '../../domain/ledger/account-number.js';
import { rememberedAccountId } from '../../domain/ledger/account.js';
import {
  MAX_LINES_PER_ENTRY,
  accountIdOf,
  entryOfLine,
  isUuid,
  lineIdOf,
  nameBasedUuid,
  tenantIdOf,
} from '../../domain/shared/ids.js';
import { ISO_4217 } from '../../domain/shared/iso-4217.js';
import {
  ExactDecimal,
  MAX_AMOUNT_MINOR,
  ROUND_DOWN,
  ROUND_HALF_EVEN,
  allocate,
  convert,
  currencyExponent,
  formatAmount,
  isCurrency,
  parseAmount,
  roundToMinor,
} from '../../domain/shared/money.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { repositoryRoot } from '../support/repository.js';

interface ReferenceCase {
  readonly id: string;
  readonly kind: string;
  readonly inputs: { readonly currency?: string };
  readonly expected: unknown;
}
const reference = (
  JSON.parse(readFileSync(join(repositoryRoot, 'tests/reference/payments.json'), 'utf8')) as { cases: ReferenceCase[] }
).cases;

test('ISO 4217: every code of the list, with its minor units and number, and no other', (t) => {
  const all = reference.find(({ kind }) => kind === 'iso4217_minor_units')?.expected as Record<
    string,
    { minor: string; numeric: string }
  >;
  const ours = Object.fromEntries(ISO_4217.map(([code, minor, numeric]) => [code, { minor, numeric }]));
  const theirs = Object.entries(all).map(([code, { minor, numeric }]) => [
    code,
    { minor: minor === 'N.A.' ? 0 : Number(minor), numeric },
  ]);
  t.same(ours, Object.fromEntries(theirs));
  t.equal(ISO_4217.length, theirs.length, 'no code twice');
  const singles = reference.filter(({ kind }) => kind === 'iso4217_minor_unit');
  t.ok(singles.length > 20);
  for (const { id, inputs, expected } of singles) {
    const { minor_units: minor, numeric } = expected as { minor_units: string; numeric: string };
    const row = ISO_4217.find(([code]) => code === inputs.currency);
    t.same([String(currencyExponent(inputs.currency ?? '')), row?.[2]], [minor === 'N.A.' ? '0' : minor, numeric], id);
  }
  t.notOk(isCurrency('EURO') || isCurrency('eur') || isCurrency('') || isCurrency('ABC'));
  t.equal(currencyExponent('ABC'), undefined);
  t.end();
});

test('amounts: exact text to minor units and back', (t) => {
  const good: Array<[text: string, currency: string, minor: bigint]> = [
    ['24.24', 'NGN', 2424n],
    ['24.240', 'NGN', 2424n],
    ['24', 'NGN', 2400n],
    ['0', 'NGN', 0n],
    ['-0', 'NGN', 0n],
    ['-1.5', 'NGN', -150n],
    ['007.10', 'NGN', 710n],
    ['500', 'JPY', 500n],
    ['500.000', 'JPY', 500n],
    ['1.005', 'KWD', 1005n],
    ['1.0050', 'KWD', 1005n],
    ['0.0001', 'CLF', 1n],
    ['90071992547409.93', 'NGN', 9007199254740993n],
    ['0.1', 'USD', 10n],
    ['1.000000000000000000000000000000', 'USD', 100n],
    ['10000000000000000000000', 'NGN', MAX_AMOUNT_MINOR],
    ['1000000000000000000000000', 'KRW', MAX_AMOUNT_MINOR],
  ];
  for (const [text, currency, minor] of good) t.equal(parseAmount(text, currency), minor, `${text} ${currency}`);
  const bad: Array<[text: string, currency: string, error: string]> = [
    ['24.245', 'NGN', 'too-many-decimals'],
    ['0.5', 'JPY', 'too-many-decimals'],
    ['1.0', 'ABC', 'unknown-currency'],
    ['1.0005', 'KWD', 'too-many-decimals'],
    ['10000000000000000000000.01', 'NGN', 'too-large'],
    ['-10000000000000000000000.01', 'NGN', 'too-large'],
    ['0.001', 'USD', 'too-many-decimals'],
    ...[
      '',
      ' ',
      '1 ',
      ' 1',
      '+1',
      '1.',
      '.5',
      '1e3',
      '1E400',
      'NaN',
      'Infinity',
      '0x10',
      '1,000',
      '1_000',
      '--1',
      '１',
      '٣',
      '1.2.3',
      '1'.repeat(31),
      `1.${'0'.repeat(31)}`,
      '1\n',
      '-',
    ].map((text) => [text, 'NGN', 'not-a-decimal'] as [string, string, string]),
  ];
  for (const [text, currency, error] of bad)
    t.equal(parseAmount(text, currency), error, `${JSON.stringify(text)} ${currency}`);
  for (const [minor, currency, text] of [
    [2424n, 'NGN', '24.24'],
    [5n, 'NGN', '0.05'],
    [-5n, 'NGN', '-0.05'],
    [0n, 'NGN', '0.00'],
    [-100n, 'USD', '-1.00'],
    [500n, 'JPY', '500'],
    [-500n, 'JPY', '-500'],
    [1n, 'KWD', '0.001'],
    [12345n, 'CLF', '1.2345'],
  ] as const) {
    t.equal(formatAmount(minor, currency), text);
  }
  t.throws(() => formatAmount(1n, 'ABC'), RangeError);
  const codes = fc.constantFrom(...ISO_4217.map(([code]) => code));
  fc.assert(
    fc.property(
      codes,
      fc.bigInt({ min: -MAX_AMOUNT_MINOR, max: MAX_AMOUNT_MINOR }),
      (currency, minor) => parseAmount(formatAmount(minor, currency), currency) === minor,
    ),
  );
  t.pass('parse undoes format');
  t.end();
});

test('rounding names its mode, and never goes through a binary float', (t) => {
  const half = (text: string) => roundToMinor(new ExactDecimal(text), ROUND_HALF_EVEN);
  t.same(['0.5', '1.5', '2.5', '-0.5', '-1.5', '-2.5', '2.5000000000000000000000000000001', '1.005'].map(half), [
    0n,
    2n,
    2n,
    0n,
    -2n,
    -2n,
    3n,
    1n,
  ]);
  t.same(
    ['1.9', '-1.9'].map((text) => roundToMinor(new ExactDecimal(text), ROUND_DOWN)),
    [1n, -1n],
  );
  t.equal(half('90071992547409931234567890123456789.5'), 90071992547409931234567890123456790n);
  const cases: Array<[bigint, string, string, string, bigint]> = [
    [100_00n, 'USD', 'JPY', '149.535', 14954n],
    [100_00n, 'USD', 'JPY', '149.545', 14954n],
    [100_00n, 'USD', 'KWD', '0.30705', 30705n],
    [1n, 'USD', 'KWD', '0.30705', 3n],
    [1_000n, 'JPY', 'USD', '0.00665', 665n],
    [15n, 'JPY', 'USD', '0.1', 150n],
    [1n, 'KWD', 'JPY', '500', 0n],
    [3n, 'KWD', 'JPY', '500', 2n],
    [5n, 'KWD', 'JPY', '500', 2n],
    [-15n, 'USD', 'USD', '0.5', -8n],
    [-25n, 'USD', 'USD', '0.1', -2n],
    [MAX_AMOUNT_MINOR - 1n, 'USD', 'USD', '0.5', MAX_AMOUNT_MINOR / 2n],
  ];
  for (const [minor, from, to, rate, expected] of cases)
    t.equal(convert(minor, from, to, rate), expected, `${minor} ${from} at ${rate} → ${to}`);
  t.throws(() => convert(1n, 'ABC', 'USD', '1'), RangeError);
  // An oracle of its own: half-even with integers.
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MAX_AMOUNT_MINOR }),
      fc.bigInt({ min: 1n, max: 10n ** 18n }),
      fc.constantFrom('JPY', 'USD', 'KWD', 'CLF'),
      fc.constantFrom('JPY', 'USD', 'KWD', 'CLF'),
      (minor, rate, from, to) => {
        const digits = rate.toString().padStart(10, '0');
        const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`;
        const up = 10n ** BigInt(currencyExponent(to) ?? 0);
        const down = 10n ** BigInt(9 + (currencyExponent(from) ?? 0));
        const [quotient, rest] = [(minor * rate * up) / down, (minor * rate * up) % down];
        const rounded = rest * 2n > down || (rest * 2n === down && quotient % 2n === 1n) ? quotient + 1n : quotient;
        return convert(minor, from, to, text) === rounded;
      },
    ),
  );
  t.end();
});

test('allocate keeps every minor unit', (t) => {
  t.same(allocate(100n, [1n, 1n, 1n]), [34n, 33n, 33n]);
  t.same(allocate(5n, [3n, 7n]), [2n, 3n]);
  t.same(allocate(-100n, [1n, 1n, 1n]), [-34n, -33n, -33n]);
  t.same(allocate(1n, [0n, 1n, 0n]), [0n, 1n, 0n]);
  t.same(allocate(10n, [1n, 2n, 4n]), [1n, 3n, 6n]);
  for (const weights of [[], [0n], [1n, -1n, 5n]]) t.throws(() => allocate(1n, weights), RangeError);
  const weights = fc
    .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 12 })
    .filter((list) => list.some((w) => w > 0n));
  fc.assert(
    fc.property(fc.bigInt({ min: -MAX_AMOUNT_MINOR, max: MAX_AMOUNT_MINOR }), weights, (minor, list) => {
      const shares = allocate(minor, list);
      const total = list.reduce((sum, w) => sum + w, 0n);
      const sum = shares.reduce((s, share) => s + share, 0n);
      // Each share is within one minor unit of its exact part, and a weight of nothing gets nothing.
      return (
        sum === minor &&
        shares.every((share, i) => {
          const off = share * total - minor * (list[i] ?? 0n);
          return off < total && -off < total && (list[i] !== 0n || share === 0n);
        })
      );
    }),
  );
  t.end();
});

test('name-based ids are RFC 9562 version 5', (t) => {
  t.equal(
    nameBasedUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com'),
    '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    'RFC 9562, A.4',
  );
  t.equal(
    nameBasedUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'python.org'),
    '886313e1-3b8a-5372-9b90-0c9aee199e5d',
    'Python’s uuid module',
  );
  t.equal(
    nameBasedUuid('6ba7b811-9dad-11d1-80b4-00c04fd430c8', 'http://python.org/'),
    '4c565f0d-3f5a-5890-b41b-20cf47701c5e',
  );
  const acme = tenantIdOf('acme');
  t.match(acme, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.not(acme, tenantIdOf('acme2'));
  t.not(accountIdOf(acme, '1'), accountIdOf(tenantIdOf('other'), '1'), 'one number in two tenants is two accounts');
  t.equal(rememberedAccountId(acme, '1'), accountIdOf(acme, '1'));
  t.equal(rememberedAccountId(acme, '1'), accountIdOf(acme, '1'), 'also when it is remembered');
  t.ok(isUuid(acme));
  for (const text of [
    '',
    acme.toUpperCase(),
    acme.slice(1),
    `${acme}0`,
    acme.replaceAll('-', ''),
    `${acme}\n`,
    `g${acme.slice(1)}`,
  ])
    t.notOk(isUuid(text), text);
  t.end();
});

test('event ids are ULIDs that leave room for line numbers', (t) => {
  let now = Date.parse('2026-03-15T10:00:00.000Z');
  const source = createIdSource(() => now);
  const ids = Array.from({ length: 5_000 }, (_, i) => {
    if (i % 100 === 0) now += 1;
    return { id: source.eventId(), at: now };
  });
  t.equal(new Set(ids.map(({ id }) => id)).size, ids.length, 'all differ');
  t.ok(ids.every(({ id }) => isUuid(id) && id.endsWith('0000')));
  const ulids = ids.map(({ id, at }) => ({ ulid: uuidToULID(id), at }));
  t.ok(ulids.every(({ ulid }) => isValid(ulid)));
  t.ok(
    ulids.every(({ ulid, at }) => decodeTime(ulid) === at),
    'they tell their time',
  );
  t.ok(
    ulids.every(({ ulid, at }, i) => i === 0 || at === ulids[i - 1]?.at || ulid > (ulids[i - 1]?.ulid ?? '')),
    'they rise with time',
  );
  const fractions = Array.from({ length: 1_000 }, () => source.random());
  t.ok(fractions.every((one) => one >= 0 && one < 1) && new Set(fractions).size > 900);
  const entry = ids[0]?.id ?? '';
  t.equal(lineIdOf(entry, 0), `${entry.slice(0, 32)}0001`);
  t.equal(lineIdOf(entry, MAX_LINES_PER_ENTRY - 1), `${entry.slice(0, 32)}03e8`);
  for (const index of [0, 1, 15, 254, 255, MAX_LINES_PER_ENTRY - 1])
    t.same(entryOfLine(lineIdOf(entry, index)), { entryId: entry, index });
  t.same(entryOfLine(entry), { entryId: entry, index: -1 });
  t.end();
});

test('account numbers have ten digits and a Luhn check digit', (t) => {
  t.equal(accountNumberOf(1), '1000000016');
  const luhn = (text: string): boolean =>
    [...text].reverse().reduce((sum, digit, i) => {
      const doubled = Number(digit) * (i % 2 === 1 ? 2 : 1);
      return sum + Math.floor(doubled / 10) + (doubled % 10);
    }, 0) %
      10 ===
    0;
  t.ok(luhn('79927398713'), 'the oracle knows the example of ISO/IEC 7812');
  const numbers = Array.from({ length: 2_000 }, (_, i) => accountNumberOf(i + 1));
  t.ok(numbers.every((number) => /^\d{10}$/.test(number) && luhn(number) && isAccountNumber(number)));
  t.equal(new Set(numbers).size, numbers.length);
  const number = accountNumberOf(123_456_789);
  for (let i = 0; i < 10; i += 1) {
    for (let digit = 0; digit < 10; digit += 1) {
      const typo = number.slice(0, i) + String(digit) + number.slice(i + 1);
      t.equal(isAccountNumber(typo), typo === number, `one digit wrong: ${typo}`);
    }
  }
  for (let i = 0; i < 9; i += 1) {
    const swapped = number.slice(0, i) + number.charAt(i + 1) + number.charAt(i) + number.slice(i + 2);
    const undetectable = swapped === number || /^(09|90)$/.test(number.slice(i, i + 2));
    t.equal(isAccountNumber(swapped), undetectable, `neighbours swapped: ${swapped}`);
  }
  for (const text of ['', '100000001', '10000000160', '100000001x', '１０００００００１６', ' 1000000016'])
    t.notOk(isAccountNumber(text), text);
  t.end();
});
