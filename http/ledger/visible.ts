import type { AccountView, EntryLineView } from '../../application/ports/read-models.js';
import { ownOnly } from '../caller.js';
import { caughtUp } from '../commands.js';
import type { Call } from '../endpoint.js';
import { RequestFailed, failure } from '../problem.js';

/** What a caller may see. Somebody else's account answers exactly like one that does not exist. */
export const noSuch = (what: string) => new RequestFailed(failure('NOT_FOUND', `There is no such ${what}`));

export async function visibleAccount(call: Call, accountId: string): Promise<AccountView> {
  const account = await call.services.readModels.account(call.caller.tenantId, accountId);
  const own = ownOnly(call.caller);
  if (account === undefined || (own !== undefined && account.owner !== own.customerId)) throw noSuch('account');
  return account;
}

/** The account a command is about to change, as far as this process has committed. */
export async function accountForCommand(call: Call, accountId: string): Promise<AccountView> {
  await caughtUp(call);
  const account = await call.services.readModels.account(call.caller.tenantId, accountId);
  if (account === undefined) throw new RequestFailed(failure('ACCOUNT_NOT_FOUND', 'Account Not Found'));
  return account;
}

/** The lines of the caller's own accounts; all of them for staff. The other side of a customer's entry is not his to see. */
export async function visibleLines(call: Call, lines: readonly EntryLineView[]): Promise<readonly EntryLineView[]> {
  const own = ownOnly(call.caller);
  if (own === undefined || lines.length === 0) return lines;
  const accounts = await call.services.readModels.accountsOfOwner(call.caller.tenantId, own.customerId);
  const ids = new Set(accounts.map((account) => account.accountId));
  return lines.filter((line) => ids.has(line.accountId));
}
