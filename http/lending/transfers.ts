import { z } from 'zod';
import { answeredBefore } from '../../application/access/as-user.js';
import { agentChain } from '../../application/people/standing.js';
import { transferToBank, withdrawalAsked, withdrawalFee } from '../../application/payouts/transfer-to-bank.js';
import type { BankAccount } from '../../application/payouts/bank-accounts.js';
import type { AccountView, CustomerView } from '../../application/ports/read-models.js';
import { Findings, amountIn, amountOut } from '../amounts.js';
import { pin, payloadEncrypted } from '../auth/schemas.js';
import { PEOPLE } from '../ciam/examples.js';
import { customerCode } from '../ciam/person-schemas.js';
import { type Accepted, acceptedOr, askedAboutPerson, caughtUp, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { type Failure, RequestFailed, failure, invalid } from '../problem.js';
import { amount, amountShown, uuid } from '../schemas.js';
import { ownPerson, visibleCustomer } from '../scope.js';
import { BANKING, TRANSFERS } from './bank-examples.js';
import { bankAccountNumber, bankCode, holderName, visibleBankAccount } from './bank-pieces.js';
import { banksOf } from './banks.js';
import { transactionPinFailure } from './transaction-pin.js';
import { transferStatus } from './transfer-shape.js';

/** Most transfers are there within minutes; a partner that is slower says so by the status. */
const ESTIMATED_SETTLEMENT_MS = 5 * 60_000;

const body = z.strictObject({
  customerId: customerCode,
  amount,
  bankAccountId: uuid,
  accountNumber: bankAccountNumber.optional(),
  bankCode: bankCode.optional(),
  accountName: holderName.optional(),
  transactionPin: pin.optional(),
  payloadEncrypted: payloadEncrypted.optional(),
  description: z.string().trim().max(256).optional(),
});
type TransferCall = Call<unknown, unknown, z.output<typeof body>>;

export const transferFunds = defineEndpoint({
  id: 'transfer-funds',
  group: 'lending',
  title: 'Transfer funds to bank',
  description:
    'From the customer’s loan wallet (in the currency of the bank account) to his own verified bank account. The fee ' +
    '(preference `WITHDRAWAL_FEE`) comes on top: amount + fee must be available, and leave the wallet at once. ' +
    '`accountNumber`, `bankCode` and `accountName` may be repeated and must then be those of the bank account. ' +
    '`transactionPin` is asked for where `TRANSACTION_PIN_REQUIRED` is on and the customer has one. A transfer that fails ' +
    'later gives amount and fee back.',
  method: 'POST',
  path: '/api/v1/services/user/transfer-funds-to-bank',
  aliases: [],
  roles: ['CUSTOMER'],
  secretMembers: ['transactionPin'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  body,
  unknownMembers: 'refuse',
  requestExamples: {
    withdrawal: {
      body: {
        customerId: PEOPLE.customerId,
        amount: 2500,
        bankAccountId: TRANSFERS.bankAccountId,
        accountNumber: BANKING.accountNumber,
        bankCode: BANKING.bankCode,
        accountName: BANKING.accountName,
        description: 'School fees',
      },
    },
  },
  success: {
    status: 201,
    description: 'The transfer is on its way',
    data: z
      .object({
        transactionReference: z.string(),
        transferId: z.string(),
        amount: amountShown,
        fee: amountShown,
        currencyCode: z.string(),
        status: transferStatus,
        transferDate: z.string(),
        estimatedSettlementTime: z.string(),
      })
      .meta({ id: 'Transfer' }),
    example: {
      transactionReference: TRANSFERS.reference,
      transferId: TRANSFERS.transferId,
      amount: 2500,
      fee: 10,
      currencyCode: 'NGN',
      status: 'PENDING',
      transferDate: EXAMPLE.at,
      estimatedSettlementTime: '2026-11-22T10:35:00.000Z',
    },
  },
  errors: [
    ...(['NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'INSUFFICIENT_FUNDS'] as const),
    ...(['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'INVALID_STATE_TRANSITION', 'SERVICE_UNAVAILABLE'] as const),
  ],
  async handler(call) {
    await caughtUp(call);
    const { identity } = call.services;
    const asked = askedAboutPerson(call);
    // A retry gets its first answer whatever has become of the account, the PIN or the wallet since.
    const before = await answeredBefore(identity, asked, ownPerson(call));
    if (before !== undefined) return transferAnswer(acceptedOr(before, call));
    banksOf(call);
    const customer = await visibleCustomer(call, call.body.customerId);
    const account = await ownAccount(call, customer);
    const wallet = await loanWallet(call, account);
    const findings = new Findings();
    const minor = amountIn(call.body.amount, wallet.currency, 'amount', findings);
    findings.throwIfAny();
    const refused = await transactionPinFailure(call);
    if (refused !== undefined) return refused;
    const fee = await feeOf(call, customer, wallet.currency);
    const { description } = call.body;
    const outcome = await transferToBank(identity, asked, { wallet, account, amount: minor, fee, description });
    return transferAnswer(acceptedOr(outcome, call));
  },
});

/** The bank account that the call names, if it is the customer's and what is repeated of it is right. */
async function ownAccount(call: TransferCall, { customerId }: CustomerView): Promise<BankAccount> {
  const account = await visibleBankAccount(call, call.body.bankAccountId);
  const findings = new Findings();
  if (account.customerId !== customerId) findings.add('bankAccountId', 'MISMATCH', 'is not the customer’s');
  for (const name of ['accountNumber', 'bankCode'] as const) {
    const repeated = call.body[name];
    if (repeated !== undefined && repeated !== account[name]) differs(findings, name);
  }
  const { accountName } = call.body;
  if (accountName !== undefined && !sameName(accountName, account.accountName)) differs(findings, 'accountName');
  findings.throwIfAny();
  if (!account.isVerified) {
    throw new RequestFailed(
      invalid('bankAccountId', 'BANK_ACCOUNT_NOT_VERIFIED', 'nothing is paid out to an account that is not verified'),
    );
  }
  return account;
}

const differs = (findings: Findings, field: string) =>
  findings.add(field, 'MISMATCH', 'is not that of the bank account');

/** Upper and lower case and the number of spaces make no difference. */
function sameName(one: string, other: string): boolean {
  const plain = (name: string) => name.trim().replaceAll(/\s+/g, ' ').toLowerCase();
  return plain(one) === plain(other);
}

/** The customer's open loan wallet in the currency of the bank account. */
async function loanWallet(call: Call, { customerId, currency }: BankAccount): Promise<AccountView> {
  const accounts = await call.services.readModels.accountsOfOwner(call.caller.tenantId, customerId);
  const wallet = accounts.find(
    (each) => each.product === 'LOAN_WALLET' && each.currency === currency && each.status === 'ACTIVATED',
  );
  if (wallet === undefined) {
    throw new RequestFailed(failure('ACCOUNT_NOT_FOUND', `The customer has no loan wallet in ${currency}`));
  }
  return wallet;
}

async function feeOf({ services, caller }: Call, customer: CustomerView, currency: string): Promise<bigint> {
  const { readModels, identity } = services;
  const { tenantId } = caller;
  const [tenant, agents] = await Promise.all([
    readModels.tenant(tenantId),
    agentChain(readModels, tenantId, customer.agentId),
  ]);
  const preferences = await identity.preferences.of(tenantId, { agents, country: customer.country });
  return withdrawalFee(preferences, currency, tenant?.baseCurrency ?? '');
}

/** As it was when it was asked for: what became of it tells check-transfer-status. */
function transferAnswer(done: Accepted | Failure): Answer | Failure {
  if (isFailure(done)) return done;
  const { data: asked, recordedAt } = withdrawalAsked(done.events);
  const { currency, reference, withdrawal } = asked;
  const data = {
    transactionReference: reference,
    transferId: withdrawal,
    amount: amountOut(asked.amount, currency),
    fee: amountOut(asked.fee, currency),
    currencyCode: currency,
    status: 'PENDING',
    transferDate: recordedAt,
    estimatedSettlementTime: new Date(Date.parse(recordedAt) + ESTIMATED_SETTLEMENT_MS).toISOString(),
  };
  const { position, replayed } = done;
  return { kind: 'answer', message: 'The transfer is on its way', data, position, replayed };
}
