import { z } from 'zod';
import type { TrialBalanceRow } from '../../application/ports/read-models.js';
import { ACCOUNT_KINDS } from '../../domain/ledger/events.js';
import { amountOut } from '../amounts.js';
import { defineEndpoint } from '../endpoint.js';
import { amountShown, currencyCode, dateIn } from '../schemas.js';
import { EXAMPLE } from './examples.js';

const sums = { totalDebits: amountShown, totalCredits: amountShown };

/** Debits must equal credits in each currency; the answer says whether they do, it does not assume it. */
function totalsOf(rows: readonly TrialBalanceRow[]) {
  const byCurrency = new Map<string, { debits: bigint; credits: bigint }>();
  for (const row of rows) {
    const total = byCurrency.get(row.currency) ?? { debits: 0n, credits: 0n };
    byCurrency.set(row.currency, { debits: total.debits + row.debits, credits: total.credits + row.credits });
  }
  return [...byCurrency].map(([currency, { debits, credits }]) => ({
    currencyCode: currency,
    totalDebits: amountOut(debits, currency),
    totalCredits: amountOut(credits, currency),
    balanced: debits === credits,
  }));
}

export const trialBalance = defineEndpoint({
  id: 'trial-balance',
  group: 'ledger',
  title: 'Trial balance',
  description: 'Per account and currency, by value date up to `asOf` (default: everything recorded).',
  method: 'GET',
  path: '/api/v6/services/ledger/trial-balance',
  aliases: [],
  roles: ['MANAGER', 'AUDITOR', 'ANALYST'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ asOf: dateIn.optional(), currency: currencyCode.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { naira: { query: { currency: 'NGN', asOf: EXAMPLE.date } } },
  success: {
    status: 200,
    description: 'Trial balance',
    data: z.object({
      asOf: z.string().nullable(),
      accounts: z.array(
        z.object({
          accountId: z.string(),
          accountNumber: z.string(),
          accountName: z.string(),
          kind: z.enum(ACCOUNT_KINDS),
          currencyCode: z.string(),
          ...sums,
          accountBalance: amountShown,
        }),
      ),
      totals: z.array(z.object({ currencyCode: z.string(), ...sums, balanced: z.boolean() })),
    }),
    example: {
      asOf: EXAMPLE.date,
      accounts: [
        {
          accountId: EXAMPLE.accountId,
          accountNumber: EXAMPLE.accountNumber,
          accountName: 'Ada Obi',
          kind: 'LIABILITY',
          currencyCode: 'NGN',
          totalDebits: 1000,
          totalCredits: 2500,
          accountBalance: 1500,
        },
        {
          accountId: EXAMPLE.counterpartyId,
          accountNumber: EXAMPLE.counterpartyNumber,
          accountName: 'Cash',
          kind: 'ASSET',
          currencyCode: 'NGN',
          totalDebits: 2500,
          totalCredits: 1000,
          accountBalance: -1500,
        },
      ],
      totals: [{ currencyCode: 'NGN', totalDebits: 3500, totalCredits: 3500, balanced: true }],
    },
  },
  errors: [],
  async handler(call) {
    const { asOf, currency } = call.query;
    const filter = { ...(asOf === undefined ? {} : { asOf }), ...(currency === undefined ? {} : { currency }) };
    const rows = await call.services.readModels.trialBalance(call.caller.tenantId, filter);
    const accounts = rows.map((row) => ({
      accountId: row.accountId,
      accountNumber: row.number,
      accountName: row.name,
      kind: row.kind,
      currencyCode: row.currency,
      totalDebits: amountOut(row.debits, row.currency),
      totalCredits: amountOut(row.credits, row.currency),
      accountBalance: amountOut(row.balance, row.currency),
    }));
    return { kind: 'answer', message: 'Trial balance', data: { asOf: asOf ?? null, accounts, totals: totalsOf(rows) } };
  },
});
