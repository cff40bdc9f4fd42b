import { z } from 'zod';
import { seesOwner } from '../scope.js';
import { defineEndpoint } from '../endpoint.js';
import { amountOut } from '../amounts.js';
import { amountShown, dateIn, instantIn, uuid } from '../schemas.js';
import { ACCOUNT_EXAMPLE, accountOut, accountShape } from './account-shape.js';
import { ENTRY_EXAMPLE, entryOut, entryShape } from './entry-shape.js';
import { EXAMPLE } from './examples.js';
import { visibleAccount } from './visible.js';

const params = z.object({ accountId: uuid });
const READERS = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR'] as const;

export const accountBalance = defineEndpoint({
  id: 'account-balance',
  group: 'ledger',
  title: 'Account balance',
  method: 'GET',
  path: '/api/v6/services/ledger/account-balance/{accountId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  hot: true,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { accountId: EXAMPLE.accountId } } },
  success: { status: 200, description: 'Account balance details', data: accountShape, example: ACCOUNT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const account = await visibleAccount(call, call.params.accountId);
    return { kind: 'answer', message: 'Account balance details', data: accountOut(account) };
  },
});

export const getAccount = defineEndpoint({
  id: 'get-account',
  group: 'ledger',
  title: 'Get account',
  method: 'GET',
  path: '/api/v6/services/account-maintenance/account/{accountId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { accountId: EXAMPLE.accountId } } },
  success: { status: 200, description: 'The account', data: accountShape, example: ACCOUNT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const account = await visibleAccount(call, call.params.accountId);
    return { kind: 'answer', message: 'Account', data: accountOut(account) };
  },
});

export const listAccounts = defineEndpoint({
  id: 'list-accounts',
  group: 'ledger',
  title: 'List accounts of an owner',
  method: 'GET',
  path: '/api/v6/services/account-maintenance/list-accounts/{accountOwnerId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ accountOwnerId: uuid }),
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { accountOwnerId: EXAMPLE.ownerId } } },
  success: { status: 200, description: 'List of accounts', data: z.array(accountShape), example: [ACCOUNT_EXAMPLE] },
  errors: [],
  async handler(call) {
    const { accountOwnerId } = call.params;
    // Somebody else's list answers like that of an owner who has no account.
    const seen = await seesOwner(call, accountOwnerId);
    const accounts = seen ? await call.services.readModels.accountsOfOwner(call.caller.tenantId, accountOwnerId) : [];
    return { kind: 'answer', message: 'List of accounts', data: accounts.map(accountOut) };
  },
});

const MAX_EXPLAINED = 200;

export const balanceExplanation = defineEndpoint({
  id: 'balance-explanation',
  group: 'ledger',
  title: 'Explain a balance',
  description: `Why a balance is what it is: as recorded up to an instant and effective up to a value date, with the newest ${MAX_EXPLAINED} entries that made it.`,
  method: 'GET',
  path: '/api/v6/services/ledger/balance-explanation/{accountId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params,
  query: z.object({ recordedAt: instantIn.optional(), valueDate: dateIn.optional() }),
  unknownMembers: 'refuse',
  requestExamples: {
    now: { params: { accountId: EXAMPLE.accountId } },
    then: { params: { accountId: EXAMPLE.accountId }, query: { recordedAt: EXAMPLE.at, valueDate: EXAMPLE.date } },
  },
  success: {
    status: 200,
    description: 'The balance and the entries that made it, newest first',
    data: z.object({
      accountId: z.string(),
      accountNumber: z.string(),
      currencyCode: z.string(),
      recordedAt: z.string().nullable(),
      valueDate: z.string().nullable(),
      accountBalance: amountShown,
      entryCount: z.int(),
      entries: z.array(entryShape),
    }),
    example: {
      accountId: EXAMPLE.accountId,
      accountNumber: EXAMPLE.accountNumber,
      currencyCode: 'NGN',
      recordedAt: null,
      valueDate: null,
      accountBalance: 1500,
      entryCount: 1,
      entries: [ENTRY_EXAMPLE],
    },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const account = await visibleAccount(call, call.params.accountId);
    const { recordedAt, valueDate } = call.query;
    const at = {
      ...(recordedAt === undefined ? {} : { recordedAt }),
      ...(valueDate === undefined ? {} : { valueDate }),
    };
    const { ledger, lines, lineCount } = await call.services.readModels.balanceAt(
      call.caller.tenantId,
      account.accountId,
      at,
      MAX_EXPLAINED,
    );
    const data = {
      accountId: account.accountId,
      accountNumber: account.number,
      currencyCode: account.currency,
      recordedAt: recordedAt ?? null,
      valueDate: valueDate ?? null,
      accountBalance: amountOut(ledger, account.currency),
      entryCount: lineCount,
      entries: lines.map(entryOut),
    };
    return { kind: 'answer', message: 'Balance and the entries that made it', data };
  },
});
