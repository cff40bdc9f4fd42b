import { z } from 'zod';
import type { AccountView } from '../../application/ports/read-models.js';
import { ACCOUNT_KINDS, FREEZE_SCOPES, PERMISSIONS } from '../../domain/ledger/events.js';
import { normalSide } from '../../domain/ledger/account.js';
import { amountOut, optionalAmountOut } from '../amounts.js';
import { amountShown } from '../schemas.js';
import { EXAMPLE } from './examples.js';

/** The account of ledger-lending-investment.md 2.2, with our additions. */
export const accountShape = z
  .object({
    accountId: z.string(),
    accountNumber: z.string(),
    accountName: z.string(),
    ownerId: z.string(),
    kind: z.enum(ACCOUNT_KINDS),
    productCode: z.string(),
    currencyCode: z.string(),
    accountStatus: z.enum(['PENDING', 'ACTIVATED', 'SUSPENDED', 'CLOSED']),
    permission: z.enum(PERMISSIONS),
    frozen: z.enum(FREEZE_SCOPES).nullable(),
    accountBalance: amountShown.meta({ description: 'Σ credits − Σ debits' }),
    availableBalance: amountShown.meta({
      description: 'accountBalance − totalLienAmount − totalHoldAmount; overdraft not counted',
    }),
    totalLienAmount: amountShown,
    totalHoldAmount: amountShown,
    overDraftLimit: amountShown,
    newOverDraftBalance: amountShown.meta({ description: 'Overdraft in use' }),
    availableOverdraft: amountShown.meta({ description: 'overDraftLimit − overdraft in use' }),
    spendableBalance: amountShown
      .nullable()
      .meta({ description: 'What may still leave the account, overdraft included; null: no floor' }),
    minimumBalance: amountShown.nullable(),
    maximumBalance: amountShown.nullable(),
    createdAt: z.string(),
    closedAt: z.string().nullable(),
  })
  .meta({ id: 'Account' });

/** What of an account a command has just changed, known before the read model shows it. */
export type AccountChange = Partial<
  Pick<AccountView, 'status' | 'permission' | 'frozen' | 'overdraftLimit' | 'minimumBalance' | 'maximumBalance'>
>;

export function accountOut(account: AccountView) {
  const { currency, ledger, held, liens, overdraftLimit, minimumBalance } = account;
  const normal = normalSide(account.kind) === 'debit' ? -ledger : ledger;
  // An account without a floor has no overdraft: it may take any balance.
  const used = minimumBalance !== null && normal < 0n ? -normal : 0n;
  const unused = overdraftLimit > used ? overdraftLimit - used : 0n;
  const spendable = minimumBalance === null ? null : normal - held - liens - (minimumBalance - overdraftLimit);
  const out = (minor: bigint) => amountOut(minor, currency);
  return {
    accountId: account.accountId,
    accountNumber: account.number,
    accountName: account.name,
    ownerId: account.owner,
    kind: account.kind,
    productCode: account.product,
    currencyCode: currency,
    accountStatus: account.status,
    permission: account.permission,
    frozen: account.frozen,
    accountBalance: out(ledger),
    availableBalance: out(ledger - held - liens),
    totalLienAmount: out(liens),
    totalHoldAmount: out(held),
    overDraftLimit: out(overdraftLimit),
    newOverDraftBalance: out(used),
    availableOverdraft: out(unused),
    spendableBalance: optionalAmountOut(spendable, currency),
    minimumBalance: optionalAmountOut(minimumBalance, currency),
    maximumBalance: optionalAmountOut(account.maximumBalance, currency),
    createdAt: account.openedAt,
    closedAt: account.closedAt,
  };
}

export const ACCOUNT_EXAMPLE = {
  accountId: EXAMPLE.accountId,
  accountNumber: EXAMPLE.accountNumber,
  accountName: 'Ada Obi',
  ownerId: EXAMPLE.ownerId,
  kind: 'LIABILITY',
  productCode: 'WALLET',
  currencyCode: 'NGN',
  accountStatus: 'ACTIVATED',
  permission: 'FULL_ACCESS',
  frozen: null,
  accountBalance: 1500,
  availableBalance: 1200,
  totalLienAmount: 300,
  totalHoldAmount: 0,
  overDraftLimit: 0,
  newOverDraftBalance: 0,
  availableOverdraft: 0,
  spendableBalance: 1200,
  minimumBalance: 0,
  maximumBalance: null,
  createdAt: '2026-11-22T10:30:00.000Z',
  closedAt: null,
};
