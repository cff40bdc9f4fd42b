import { ExactDecimal, ROUND_HALF_EVEN, currencyExponent, roundToMinor } from '../../domain/shared/money.js';
import type { Preferences } from '../../domain/tenant/preferences.js';
import type { WithdrawalRequested } from '../../domain/withdrawal/events.js';
import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { CommittedEvent, Outcome } from '../commands.js';
import { noSuchPerson, sealFor } from '../people/seal-person.js';
import type { PayoutDestination } from '../ports/payout-partner.js';
import type { AccountView } from '../ports/read-models.js';
import type { BankAccount } from './bank-accounts.js';

export interface TransferToBank {
  readonly wallet: Pick<AccountView, 'accountId' | 'currency'>;
  readonly account: BankAccount;
  /** Minor units. */
  readonly amount: bigint;
  readonly fee: bigint;
  readonly description?: string | undefined;
}

/**
 * Takes the money from the customer's loan wallet and notes where it is to go, sealed as the account is now: what becomes
 * of his bank details afterwards does not redirect it. The payout itself is a reactor's, once this is in the log.
 */
export async function transferToBank(
  { bus, vault, ids }: Pick<Identity, 'bus' | 'vault' | 'ids'>,
  asked: Asked,
  { wallet, account, amount, fee, description }: TransferToBank,
): Promise<Outcome> {
  const { customerId, accountId, accountNumber, accountName, bankCode, bankName } = account;
  const destination: PayoutDestination = {
    ...{ accountNumber, accountName, bankCode, bankName },
    ...(description === undefined ? {} : { description }),
  };
  const person = await sealFor(vault, asked.tenantId, customerId, destination);
  if (person === undefined) return noSuchPerson('customer');
  const payload = {
    ...{ withdrawal: ids.eventId(), customer: customerId, wallet: wallet.accountId, bankDetail: accountId },
    ...{ currency: wallet.currency, amount, fee, person },
  };
  return bus.execute({ ...asked, name: 'request-withdrawal', payload });
}

/** The fact that a transfer was asked for, out of what its commit says. */
export function withdrawalAsked(events: readonly CommittedEvent[]): CommittedEvent & WithdrawalRequested {
  const asked = events.find(({ type }) => type === 'withdrawal-requested');
  if (asked === undefined) throw new Error('a transfer has its event');
  return asked as CommittedEvent & WithdrawalRequested;
}

/**
 * What a transfer costs, in minor units, rounded half-even. The preference is in the base currency; transfers in another
 * currency are free, because no rate stands between the two here.
 */
export function withdrawalFee(
  { WITHDRAWAL_FEE }: Pick<Preferences, 'WITHDRAWAL_FEE'>,
  currency: string,
  baseCurrency: string,
): bigint {
  if (currency !== baseCurrency) return 0n;
  const exact = new ExactDecimal(WITHDRAWAL_FEE).mul(new ExactDecimal(10).pow(currencyExponent(currency) ?? 0));
  return roundToMinor(exact, ROUND_HALF_EVEN);
}
