import { z } from 'zod';
import type { WithdrawalView } from '../../application/ports/lending-read-models.js';
import { WITHDRAWAL_STATUSES } from '../../domain/withdrawal/events.js';
import { amountOut } from '../amounts.js';
import { EXAMPLE } from '../ledger/examples.js';
import { amountShown } from '../schemas.js';
import { TRANSFERS } from './bank-examples.js';

export const transferStatus = z.enum(WITHDRAWAL_STATUSES);

export const transferShape = {
  transactionReference: z.string(),
  transferStatus,
  amount: amountShown,
  initiatedDate: z.string(),
  completedDate: z.string().nullable(),
  failureReason: z.string().nullable(),
  settlementDetails: z.object({
    transferId: z.string(),
    fee: amountShown,
    currencyCode: z.string(),
    bankAccountId: z.string(),
    walletAccountId: z.string(),
    partnerReference: z.string().nullable(),
    returnedToAccountId: z.string().nullable(),
    lastUpdated: z.string(),
  }),
};

export const TRANSFER_EXAMPLE = {
  transactionReference: TRANSFERS.reference,
  transferStatus: 'COMPLETED',
  amount: 2500,
  initiatedDate: EXAMPLE.at,
  completedDate: '2026-11-22T10:30:02.000Z',
  failureReason: null,
  settlementDetails: {
    transferId: TRANSFERS.transferId,
    fee: 10,
    currencyCode: 'NGN',
    bankAccountId: TRANSFERS.bankAccountId,
    walletAccountId: EXAMPLE.spareId,
    partnerReference: `SIM-${TRANSFERS.transferId}`,
    returnedToAccountId: null,
    lastUpdated: '2026-11-22T10:30:02.000Z',
  },
};

export function transferOut(view: WithdrawalView) {
  const { currency } = view;
  return {
    transactionReference: view.reference,
    transferStatus: view.status,
    amount: amountOut(view.amount, currency),
    initiatedDate: view.requestedAt,
    completedDate: view.completedAt,
    failureReason: view.failureReason,
    settlementDetails: {
      transferId: view.withdrawalId,
      fee: amountOut(view.fee, currency),
      currencyCode: currency,
      bankAccountId: view.bankDetailId,
      walletAccountId: view.wallet,
      partnerReference: view.partnerReference,
      returnedToAccountId: view.returnedTo,
      lastUpdated: view.updatedAt,
    },
  };
}
