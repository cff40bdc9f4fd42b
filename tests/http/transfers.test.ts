/** Bank accounts and transfers to banks over HTTP: whose they are, what is checked, what a retry gets. */
import t, { type Test } from 'tap';
import { nubanCheckDigit } from '../../domain/loan/nuban.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import type { PreferenceKey } from '../../domain/tenant/preferences.js';
import { BANKING } from '../../http/lending/bank-examples.js';
import { SECRETS } from '../../http/auth/examples.js';
import { PEOPLE } from '../../http/ciam/examples.js';
import type { BankDirectory } from '../../application/ports/bank-directory.js';
import { PartnerUnavailable } from '../../application/ports/payout-partner.js';
import { type Answered, AGENTS, HttpWorld, OTHER_OWNER, type WorldOptions } from '../support/http-world.js';

const USER = '/api/v1/services/user';
const BANK_DETAILS = '/api/v6/services/bankmanagement/customer-bank-details';
const TENANT = tenantIdOf('demo');
const WALLET = '7000000001';
const ADA = PEOPLE.customerId;

/** The first account number of this bank with this ending and a right check digit. */
function numberEnding(ending: string, bankCode: string = BANKING.bankCode): string {
  for (let n = 0; ; n += 1) {
    const serial = `${String(n).padStart(8, '0')}${ending.slice(0, 1)}`;
    if (nubanCheckDigit(bankCode, serial) === Number(ending.slice(1))) return serial + ending.slice(1);
  }
}

const open = async (test: Test, options: WorldOptions = {}): Promise<HttpWorld> => {
  const world = await HttpWorld.open(options);
  test.teardown(() => world.close());
  return world;
};
const account = (more: object = {}) => ({ customerId: ADA, ...BANKING, ...more });
const add = (world: HttpWorld, more: object = {}, headers: Record<string, string> = {}): Promise<Answered> =>
  world.send(`${USER}/create-bank-account`, { body: account(more), headers }, 'CUSTOMER');
async function added(world: HttpWorld, more: object = {}): Promise<string> {
  const answer = await add(world, more);
  if (answer.status !== 201) throw new Error(answer.text);
  return (answer.json.data as { accountId: string }).accountId;
}
/** Ada's loan wallet with 1,000.00 naira. */
async function wallet(world: HttpWorld): Promise<void> {
  const about = { owner: ADA, currency: 'NGN', product: 'LOAN_WALLET', name: 'Loan wallet', number: WALLET };
  await world.command('open-account', about, TENANT);
  await world.fund(WALLET, 'NGN', 100_000n);
}
const balance = async (world: HttpWorld, number = WALLET): Promise<bigint | undefined> =>
  (await world.deps.readModels.account(TENANT, world.account(number)))?.ledger;
async function prefer(world: HttpWorld, key: PreferenceKey, value: string | boolean): Promise<void> {
  await world.command('change-preferences', { changes: [{ key, scope: {}, value }] }, TENANT);
  world.identity.preferences.forget(TENANT);
}
const transfer = (world: HttpWorld, body: object, headers: Record<string, string> = {}): Promise<Answered> =>
  world.send(`${USER}/transfer-funds-to-bank`, { body: { customerId: ADA, ...body }, headers }, 'CUSTOMER');
const codes = ({ json }: Answered): string[] => (json.errors ?? []).map(({ field, code }) => `${field} ${code}`);

t.test('a bank account is added when it is the customer’s', async (t) => {
  const world = await open(t);
  const answer = await add(world, { bankName: 'whatever', bankCode: 58, accountName: 'OBI, Ada' });
  t.equal(answer.status, 201, answer.text);
  t.match(answer.json.data, {
    ...{ customerId: ADA, accountNumber: BANKING.accountNumber, accountName: 'Ada Obi', bankName: BANKING.bankName },
    ...{ isVerified: true, isDefault: true, currencyCode: 'NGN', accountType: null },
  });
  const refused = async (more: object, ...wanted: string[]) => {
    const answered = await add(world, more);
    t.same([answered.status, ...codes(answered)], [422, ...wanted], JSON.stringify(more));
  };
  await refused({}, 'accountNumber DUPLICATE');
  await refused({ accountNumber: '0123456789' }, 'accountNumber INVALID_ACCOUNT_NUMBER');
  await refused({ accountNumber: '01234567' }, 'accountNumber INVALID_ACCOUNT_NUMBER');
  await refused({ bankCode: '999' }, 'bankCode UNKNOWN_BANK');
  await refused({ accountNumber: numberEnding('00'), accountName: 'Bayo Ade' }, 'accountName NAME_MISMATCH');
  await refused({ accountNumber: numberEnding('34') }, 'accountName NAME_MISMATCH');
  await refused({ accountNumber: numberEnding('23') }, 'accountNumber ACCOUNT_NOT_FOUND');
  t.notMatch((await add(world, { accountNumber: numberEnding('34') })).text, /Ibrahim/, 'whose it is is not told');
  await refused({ isVerified: true }, 'isVerified UNKNOWN_MEMBER');
  const other = await added(world, { accountNumber: '1111111111', accountType: 'CURRENT', isDefault: true });
  const list = (await world.send(`${USER}/list-customer-bank-accounts/${ADA}`, {}, 'CUSTOMER')).json.data;
  t.match(list, [
    { accountNumber: BANKING.accountNumber, isDefault: false },
    { accountId: other, accountNumber: '1111111111', isDefault: true, accountType: 'CURRENT' },
  ]);
});

t.test('an account that a client calls verified is not', async (t) => {
  const world = await open(t);
  await wallet(world);
  const pairs = (...more: object[]) => ({
    ...{ customerCode: PEOPLE.customerCode, currencyCode: 'NGN', country: 'NGA' },
    bankAccountMetaData: [{ key: 'bankaccountno', value: '0123456785' }, { key: 'bankcode', value: '058' }, ...more],
  });
  for (const key of ['isVerified', 'ISVERIFIED']) {
    const answer = await world.send(BANK_DETAILS, { body: pairs({ key, value: 'true' }) }, 'CUSTOMER');
    t.same([answer.status, ...codes(answer)], [422, 'bankAccountMetaData.2.key RESERVED'], key);
  }
  const plain = await world.send(BANK_DETAILS, { body: pairs() }, 'CUSTOMER');
  const { bankDetailId: bankAccountId } = plain.json.data as { bankDetailId: string };
  t.match((await world.send(`${USER}/view-bank-account/${bankAccountId}`, {}, 'CUSTOMER')).json.data, {
    ...{ accountNumber: '0123456785', isVerified: false },
  });
  t.same(codes(await transfer(world, { amount: 1, bankAccountId })), ['bankAccountId BANK_ACCOUNT_NOT_VERIFIED']);
});

t.test('banks, and the holder of an account', async (t) => {
  const world = await open(t);
  const banks = (await world.send(`${USER}/get-available-banks`, {}, 'CASHIER')).json.data as object[];
  t.ok(banks.length > 10);
  t.hasStrict(
    banks.find((bank) => (bank as { bankCode: string }).bankCode === '058'),
    {
      ...{ bankCode: '058', bankName: 'Guaranty Trust Bank' },
    },
  );
  const verify = async (number: string, as: 'CUSTOMER' | 'MANAGER' = 'CUSTOMER', code = '058') =>
    world.send(`${USER}/verify-bank-account/${code}/${number}`, {}, as);
  t.same((await verify(BANKING.accountNumber)).json.data, { ...BANKING, valid: true }, 'his own name');
  t.match((await verify(BANKING.accountNumber, 'MANAGER')).json.data, { accountName: 'Simulated Holder 6785' });
  for (const number of ['0123456789', numberEnding('23')]) {
    const answer = await verify(number);
    t.match(answer.json.data, { accountName: null, valid: false }, number);
    t.equal(answer.status, 200);
  }
  t.equal((await verify('0123456785', 'MANAGER', '999')).status, 404);
  t.equal((await verify('0123456785!')).status, 422);
});

t.test('a transfer takes amount and fee', async (t) => {
  const world = await open(t);
  await wallet(world);
  await prefer(world, 'WITHDRAWAL_FEE', '10');
  const bankAccountId = await added(world);
  const { accountNumber, bankCode } = BANKING;
  const repeated = { accountNumber, bankCode, accountName: 'ada  OBI' };
  const answer = await transfer(world, { amount: '600.00', bankAccountId, ...repeated, description: 'rent' });
  t.equal(answer.status, 201, answer.text);
  const data = answer.json.data as Record<string, string>;
  t.match(data, { amount: 600, fee: 10, status: 'PENDING', currencyCode: 'NGN' });
  const { transactionReference: reference = '', transferDate = '' } = data;
  t.match(reference, new RegExp(`^TXN-${transferDate.slice(0, 10).replaceAll('-', '')}-\\d{6}$`));
  t.equal(await balance(world), 39_000n);
  t.equal(await balance(world, 'SYS-PAYOUT-CLEARING-NGN'), 60_000n);
  t.equal(await balance(world, 'SYS-FEE-INCOME-NGN'), 1_000n);

  t.equal((await transfer(world, { amount: 380.01, bankAccountId })).json.errorCode, 'INSUFFICIENT_FUNDS');
  t.equal((await transfer(world, { amount: 380, bankAccountId })).status, 201, 'all that is left, with the fee');
  t.equal(await balance(world), 0n);

  const status = await world.send(`${USER}/check-transfer-status/${reference}`, {}, 'CUSTOMER');
  t.match(status.json.data, {
    ...{ transactionReference: reference, transferStatus: 'PENDING', amount: 600, initiatedDate: transferDate },
    ...{ completedDate: null, failureReason: null, settlementDetails: { transferId: data['transferId'], fee: 10 } },
  });
  const history = await world.send(`${USER}/transfer-history/${ADA}?size=1`, {}, 'CUSTOMER');
  t.match(history.json.data, {
    ...{ page: 1, size: 1, totalElements: 2, totalPages: 2 },
    transfers: [{ amount: 380, fee: 10, bankAccount: { accountId: bankAccountId, accountNumber } }],
  });
  await world.command('remove-bank-details', { customer: ADA, bankDetail: bankAccountId }, TENANT);
  const after = await world.send(`${USER}/transfer-history/${ADA}`, {}, 'CUSTOMER');
  t.match(after.json.data, { transfers: [{ bankAccount: null }, { bankAccount: null }] });
  const event = (
    await world.deps.readModels.auditEvents(TENANT, { type: 'withdrawal-requested' }, { page: 1, size: 9 })
  ).items[0];
  t.notMatch(JSON.stringify(event), /0123456785|Obi|rent/, 'where it goes is sealed');
});

t.test('what does not fit is refused and takes nothing', async (t) => {
  const world = await open(t);
  const bankAccountId = await added(world);
  t.equal((await transfer(world, { amount: 1, bankAccountId })).json.errorCode, 'ACCOUNT_NOT_FOUND', 'no loan wallet');
  await wallet(world);
  const refused = async (body: object, ...wanted: string[]) => {
    const answer = await transfer(world, { amount: 1, bankAccountId, ...body });
    t.same([answer.status, ...codes(answer)], [422, ...wanted], JSON.stringify(body));
  };
  await refused({ accountNumber: '1111111111' }, 'accountNumber MISMATCH');
  await refused({ bankCode: '044', accountName: 'Bayo Ade' }, 'bankCode MISMATCH', 'accountName MISMATCH');
  await refused({ amount: 0 }, 'amount AMOUNT_OUT_OF_RANGE');
  await refused({ amount: 1.001 }, 'amount TOO_MANY_DECIMALS');
  await refused({ status: 'COMPLETED' }, 'status UNKNOWN_MEMBER');
  await world.command('freeze-account', { account: world.account(WALLET), scope: 'DEBIT', reason: 'r' }, TENANT);
  t.equal((await transfer(world, { amount: 1, bankAccountId })).json.errorCode, 'ACCOUNT_NOT_USABLE');
  t.equal(await balance(world), 100_000n);
});

t.test('a retry with the same key gets the first answer, whatever has changed since', async (t) => {
  const world = await open(t);
  await wallet(world);
  const key = { 'Idempotency-Key': 'add-1' };
  const first = await add(world, {}, key);
  const again = await add(world, {}, key);
  t.same([again.status, again.json.data], [first.status, first.json.data], 'not a duplicate');
  t.equal(again.headers['idempotency-replayed'], 'true');
  const bankAccountId = (first.json.data as { accountId: string }).accountId;

  const pay = { 'Idempotency-Key': 'pay-1' };
  const paid = await transfer(world, { amount: 100, bankAccountId }, pay);
  await prefer(world, 'WITHDRAWAL_FEE', '25');
  await world.command('remove-bank-details', { customer: ADA, bankDetail: bankAccountId }, TENANT);
  const replay = await transfer(world, { amount: 100, bankAccountId }, pay);
  t.same([replay.status, replay.json.data], [201, paid.json.data]);
  t.equal(replay.headers['idempotency-replayed'], 'true');
  t.equal(await balance(world), 90_000n, 'taken once');
  const other = await transfer(world, { amount: 101, bankAccountId }, pay);
  t.equal(other.json.errorCode, 'IDEMPOTENCY_KEY_REUSED');
  const second = await added(world);
  const racing = await Promise.all(
    Array.from({ length: 8 }, () => transfer(world, { amount: 10, bankAccountId: second }, { 'Idempotency-Key': 'r' })),
  );
  t.same(new Set(racing.map(({ status }) => status)), new Set([201]));
  t.equal(new Set(racing.map(({ json }) => (json.data as { transferId: string }).transferId)).size, 1);
  t.equal(await balance(world), 86_500n, 'one of 10 and the fee of 25');
});

t.test('the transaction PIN', async (t) => {
  const world = await open(t);
  await wallet(world);
  const bankAccountId = await added(world);
  const send = (more: object = {}) => transfer(world, { amount: 1, bankAccountId, ...more });
  await prefer(world, 'TRANSACTION_PIN_REQUIRED', true);
  t.equal((await send()).status, 201, 'who has none is not asked');
  t.equal((await send({ transactionPin: '9999' })).status, 201, 'and what he sends is not looked at');
  const { devices, hasher } = world.identity;
  await devices.setPin(TENANT, ADA, '', await hasher.hash(SECRETS.pin), '2026-01-01T00:00:00.000Z');
  const missing = await send();
  t.same([missing.status, ...codes(missing)], [422, 'transactionPin REQUIRED']);
  t.equal((await send({ transactionPin: '9999' })).json.errorCode, 'INVALID_CREDENTIALS');
  t.equal((await send({ transactionPin: SECRETS.pin })).status, 201);
  await prefer(world, 'TRANSACTION_PIN_REQUIRED', false);
  t.equal((await send()).status, 201, 'not asked for');
  for (let i = 0; i < 4; i += 1) await send({ transactionPin: '9999' });
  const locked = await send({ transactionPin: '9999' });
  t.match(locked.json.errorCode, /INVALID_CREDENTIALS|ACCOUNT_LOCKED/);
  t.equal((await send({ transactionPin: SECRETS.pin })).json.errorCode, 'ACCOUNT_LOCKED');
  t.equal(await balance(world), 99_600n, 'four went through');
});

t.test('customers see and use their own, staff what is in their sight', async (t) => {
  const world = await open(t);
  await wallet(world);
  const bankAccountId = await added(world);
  const paid = await transfer(world, { amount: 5, bankAccountId });
  const { transactionReference, transferId } = paid.json.data as Record<string, string>;
  const bayo = { token: await world.token('CUSTOMER', 'demo', { customerId: OTHER_OWNER }) };
  const south = { token: await world.token('AGENT', 'demo', { agentId: world.agentId('other') }) };
  const elsewhere = { token: await world.token('MANAGER', 'other') };
  const paths = [
    `view-bank-account/${bankAccountId}`,
    `list-customer-bank-accounts/${ADA}`,
    `check-transfer-status/${transactionReference}`,
    `check-transfer-status/${transferId}`,
    `transfer-history/${ADA}`,
  ];
  for (const path of paths) {
    t.equal((await world.send(`${USER}/${path}`, {}, 'CUSTOMER')).status, 200, path);
    for (const stranger of [bayo, south]) {
      const answer = await world.send(`${USER}/${path}`, {}, stranger);
      t.equal(answer.status, 404, path);
      t.notMatch(answer.text, /Obi|6785/);
    }
    // The other tenant has an Ada of the same id, with nothing of her own.
    const abroad = await world.send(`${USER}/${path}`, {}, elsewhere);
    t.notMatch(abroad.text, /6785|TXN/, path);
    for (const role of ['MANAGER', 'AGENT'] as const) {
      const { status, text } = await world.send(`${USER}/${path}`, {}, role);
      t.equal(status, 200, `${role} ${path}`);
      t.notMatch(text, /0123456785/, 'staff sees four digits');
      if (!path.startsWith('check')) t.match(text, /\*{6}6785/);
    }
  }
  for (const body of [
    { customerId: ADA, amount: 1, bankAccountId },
    { customerId: OTHER_OWNER, amount: 1, bankAccountId },
  ]) {
    const answer = await world.send(`${USER}/transfer-funds-to-bank`, { body }, bayo);
    t.equal(answer.status, 404, 'another’s account is not there');
  }
  const forAda = await world.send(`${USER}/create-bank-account`, { body: account() }, bayo);
  t.equal(forAda.status, 404);
  t.equal(await balance(world), 99_500n);
  t.equal((await transfer(world, { amount: 1, bankAccountId: world.ids.eventId() })).status, 404);
  t.equal(AGENTS.other, 'south');
});

t.test('a bank’s side that is silent, unsure or not there', async (t) => {
  const world = await open(t);
  const banks = world.deps.banks as BankDirectory;
  const silent = () => Promise.reject(new PartnerUnavailable('no answer'));
  Object.assign(banks, { holderOf: silent });
  const answer = await add(world);
  t.same([answer.status, answer.headers['retry-after']], [503, '5']);
  Object.assign(banks, { holderOf: () => Promise.resolve({ status: 'not-told' }) });
  t.match((await add(world)).json.data, { isVerified: false, accountName: 'Ada Obi' });
  const without = await open(t, { banks: null });
  for (const path of ['get-available-banks', `verify-bank-account/058/${BANKING.accountNumber}`]) {
    t.equal((await without.send(`${USER}/${path}`, {}, 'CUSTOMER')).status, 503, path);
  }
  t.equal((await add(without)).status, 503);
  t.equal((await transfer(without, { amount: 1, bankAccountId: world.ids.eventId() })).status, 503);
});
