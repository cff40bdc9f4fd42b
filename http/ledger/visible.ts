import type { AccountView, EntryLineView } from '../../application/ports/read-models.js';
import { caughtUp } from '../commands.js';
import type { Call } from '../endpoint.js';
import { RequestFailed, failure } from '../problem.js';
import { agentScope, noSuch, ownOnly, seesOwner } from '../scope.js';

/** Whether an account is in the caller's sight; asks for it only where the caller does not see the whole tenant. */
export async function seesAccount(call: Call, accountId: string): Promise<boolean> {
  if (ownOnly(call.caller) === undefined && (await agentScope(call)) === undefined) return true;
  const account = await call.services.readModels.account(call.caller.tenantId, accountId);
  return account !== undefined && (await seesOwner(call, account.owner));
}

/** What a caller may see. Somebody else's account answers exactly like one that does not exist. */
export async function visibleAccount(call: Call, accountId: string): Promise<AccountView> {
  const account = await call.services.readModels.account(call.caller.tenantId, accountId);
  if (account === undefined || !(await seesOwner(call, account.owner))) throw noSuch('account');
  return account;
}

/** The account a command is about to change, as far as this process has committed. */
export async function accountForCommand(call: Call, accountId: string): Promise<AccountView> {
  await caughtUp(call);
  const account = await call.services.readModels.account(call.caller.tenantId, accountId);
  if (account === undefined || !(await seesOwner(call, account.owner)))
    throw new RequestFailed(failure('ACCOUNT_NOT_FOUND', 'Account Not Found'));
  return account;
}

/** The lines of accounts in the caller's sight. The other side of a customer's entry is not his to see. */
export async function visibleLines(call: Call, lines: readonly EntryLineView[]): Promise<readonly EntryLineView[]> {
  if (lines.length === 0) return lines;
  const own = ownOnly(call.caller);
  if (own !== undefined) {
    const accounts = await call.services.readModels.accountsOfOwner(call.caller.tenantId, own.customerId);
    const ids = new Set(accounts.map((account) => account.accountId));
    return lines.filter((line) => ids.has(line.accountId));
  }
  if ((await agentScope(call)) === undefined) return lines;
  const seen = new Map<string, boolean>();
  for (const { accountId } of lines) if (!seen.has(accountId)) seen.set(accountId, await seesAccount(call, accountId));
  return lines.filter(({ accountId }) => seen.get(accountId) === true);
}
