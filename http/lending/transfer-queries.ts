import { z } from 'zod';
import { bankAccountsOf } from '../../application/payouts/bank-accounts.js';
import { amountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { customerCode } from '../ciam/person-schemas.js';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { amountShown, page, pagedOf, size } from '../schemas.js';
import { noSuch, seesOwner, visibleCustomer } from '../scope.js';
import { BANKING, TRANSFERS } from './bank-examples.js';
import { shownNumber } from './bank-pieces.js';
import { TRANSFER_EXAMPLE, transferOut, transferShape } from './transfer-shape.js';

const VIEWERS = ['MANAGER', 'AGENT', 'CUSTOMER'] as const;

export const transferStatusEndpoint = defineEndpoint({
  id: 'transfer-status',
  group: 'lending',
  title: 'Transfer status',
  description:
    '`PENDING` until the partner has it, `PROCESSING` until the money is there, then `COMPLETED`; or `FAILED`, with ' +
    'amount and fee back in the wallet and one of our own words for why in `failureReason`.',
  method: 'GET',
  path: '/api/v1/services/user/check-transfer-status/{transactionReference}',
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ transactionReference: z.string().min(1).max(64).meta({ example: TRANSFERS.reference }) }),
  unknownMembers: 'ignore',
  requestExamples: { one: { params: { transactionReference: TRANSFERS.reference } } },
  success: {
    status: 200,
    description: 'The transfer',
    data: z.object(transferShape).meta({ id: 'TransferStatus' }),
    example: TRANSFER_EXAMPLE,
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { readModels } = call.services;
    const view = await readModels.withdrawal(call.caller.tenantId, call.params.transactionReference);
    if (view === undefined || !(await seesOwner(call, view.customerId))) throw noSuch('transfer');
    return { kind: 'answer', message: 'Transfer status', data: transferOut(view) };
  },
});

export const transferHistory = defineEndpoint({
  id: 'transfer-history',
  group: 'lending',
  title: 'Transfer history',
  description: 'Transfers of a customer to banks, newest first. `bankAccount` is null where it was removed since.',
  method: 'GET',
  path: '/api/v1/services/user/transfer-history/{customerId}',
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ customerId: customerCode }),
  query: z.object({ page, size }),
  unknownMembers: 'ignore',
  requestExamples: { customer: { params: { customerId: PEOPLE.customerId }, query: { page: '1', size: '20' } } },
  success: {
    status: 200,
    description: 'Transfer history retrieved',
    data: pagedOf(
      'transfers',
      z
        .object({
          ...transferShape,
          fee: amountShown,
          bankAccount: z
            .object({
              accountId: z.string(),
              accountNumber: z.string(),
              accountName: z.string(),
              bankCode: z.string(),
              bankName: z.string(),
            })
            .nullable(),
        })
        .meta({ id: 'TransferInHistory' }),
    ),
    example: {
      transfers: [{ ...TRANSFER_EXAMPLE, fee: 10, bankAccount: { accountId: TRANSFERS.bankAccountId, ...BANKING } }],
      ...{ page: 1, size: 20, totalElements: 1, totalPages: 1 },
    },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { readModels } = call.services;
    const { tenantId } = call.caller;
    const { customerId } = await visibleCustomer(call, call.params.customerId);
    const slice = { page: call.query.page, size: call.query.size };
    const [found, details] = await Promise.all([
      readModels.withdrawals(tenantId, customerId, slice),
      readModels.bankDetailsOf(tenantId, customerId),
    ]);
    const accounts = new Map(bankAccountsOf(details).map((account) => [account.accountId, account]));
    const transfers = found.items.map((view) => {
      const account = accounts.get(view.bankDetailId);
      const bankAccount =
        account === undefined
          ? null
          : {
              accountId: account.accountId,
              accountNumber: shownNumber(call, account.accountNumber),
              accountName: account.accountName,
              bankCode: account.bankCode,
              bankName: account.bankName,
            };
      return { ...transferOut(view), fee: amountOut(view.fee, view.currency), bankAccount };
    });
    const data = { transfers, ...pageInfo(slice, found.totalElements) };
    return { kind: 'answer', message: 'Transfer history retrieved', data };
  },
});
