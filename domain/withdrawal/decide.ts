import { tagOf } from '../aggregates.js';
import { rememberedAccountId } from '../ledger/account.js';
import { type LineDraft, postEntry } from '../ledger/entry.js';
import type { EntryPosted } from '../ledger/events.js';
import { checkTenant, isCustomerOutOfSight, openAccountState } from '../ledger/guards.js';
import { systemAccountNumber } from '../ledger/products.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import type { CompleteWithdrawal, FailWithdrawal, RequestWithdrawal, SubmitWithdrawal } from './commands.js';
import type { WithdrawalEvent } from './events.js';
import { type WithdrawalState, withdrawalReferenceOf } from './withdrawal.js';

/** The one product that may be withdrawn from: the loan wallet cannot be spent otherwise (spec 5, disbursement). */
const WITHDRAWABLE_PRODUCT = 'LOAN_WALLET';

/**
 * Takes amount and fee from the wallet and notes where the amount is to go, in one commit: Dr wallet (amount + fee) /
 * Cr payout clearing (amount) + Cr fee income (fee) (spec 9.10, 9.15).
 */
export const decideRequestWithdrawal: Decide<RequestWithdrawal> = (command, context) => {
  const refusal = checkTenant(context) ?? checkCustomer(command, context) ?? checkWallet(command, context);
  if (refusal !== undefined) return refusal;
  if (context.state('withdrawal', command.withdrawal).status !== 'NONE') {
    return refuse('invalid-state', 'there is such a transfer');
  }
  const referenceSequence = context.state('tenant', context.tenantId).withdrawalSequence + 1;
  const reference = withdrawalReferenceOf(context.today, referenceSequence);
  const { withdrawal, customer, wallet, bankDetail, currency, amount, fee, person } = command;
  const system = (role: string) => rememberedAccountId(context.tenantId, systemAccountNumber(role, currency));
  const lines: LineDraft[] = [
    { account: wallet, currency, side: 'debit', amount: amount + fee },
    { account: system('payout-clearing'), currency, side: 'credit', amount },
  ];
  if (fee > 0n) lines.push({ account: system('fee-income'), currency, side: 'credit', amount: fee });
  const posted = postEntry({ kind: 'posting', lines, reference, narration: 'Transfer to bank' }, context);
  if (isRefusal(posted)) return posted;
  context.emit({
    type: 'withdrawal-requested',
    version: 1,
    data: {
      ...{ withdrawal, reference, referenceSequence, customer, wallet, bankDetail, currency },
      amount: amount.toString(),
      fee: fee.toString(),
      entry: posted.id,
      person,
    },
    tags: [tagOf('withdrawal', withdrawal), tagOf('customer', customer), tagOf('tenant', context.tenantId)],
  });
  return undefined;
};

function checkCustomer(command: RequestWithdrawal, context: DecisionContext): Refusal | undefined {
  const { status, bankDetails } = context.state('customer', command.customer);
  if (status === 'NONE' || status === 'ERASED' || isCustomerOutOfSight(command.customer, context)) {
    return refuse('customer-not-found', 'there is no such customer');
  }
  if (status === 'INACTIVE') return refuse('user-not-active', 'the customer is deactivated');
  return bankDetails.includes(command.bankDetail)
    ? undefined
    : refuse('bank-details-not-found', 'there is no such bank account', { field: 'bankAccountId' });
}

function checkWallet(command: RequestWithdrawal, context: DecisionContext): Refusal | undefined {
  if (command.amount <= 0n || command.fee < 0n) {
    return refuse('amount-out-of-range', 'the amount must be greater than zero', { field: 'amount' });
  }
  const account = openAccountState(command.wallet, context);
  if (isRefusal(account)) return account;
  if (account.owner !== command.customer) {
    return refuse('account-not-found', 'Account Not Found', { details: { account: command.wallet } });
  }
  if (account.product !== WITHDRAWABLE_PRODUCT) {
    return refuse('invalid-argument', 'only a loan wallet can be withdrawn from');
  }
  return undefined;
}

/** What the partner says of a withdrawal may come late, twice and in any order: only what is new is written. */
export const decideSubmitWithdrawal: Decide<SubmitWithdrawal> = (command, context) => {
  const state = knownWithdrawal(command.withdrawal, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'PENDING') return undefined;
  const { withdrawal, partner, partnerReference } = command;
  emit('withdrawal-submitted', { withdrawal, partner, partnerReference }, state, context);
  return undefined;
};

export const decideCompleteWithdrawal: Decide<CompleteWithdrawal> = (command, context) => {
  const state = knownWithdrawal(command.withdrawal, context);
  if (isRefusal(state)) return state;
  if (state.status === 'COMPLETED') return undefined;
  if (state.status !== 'PROCESSING') return wrongState(state, 'completed');
  emit('withdrawal-completed', { withdrawal: command.withdrawal }, state, context);
  return undefined;
};

/** Gives amount and fee back in the same commit: the mirror of the entry that took them. */
export const decideFailWithdrawal: Decide<FailWithdrawal> = (command, context) => {
  const state = knownWithdrawal(command.withdrawal, context);
  if (isRefusal(state)) return state;
  const { status: from } = state;
  if (from === 'FAILED') return undefined;
  if (from !== 'PENDING' && from !== 'PROCESSING') return wrongState(state, 'failed');
  const given = giveBack(state, context);
  if (isRefusal(given)) return given;
  const { withdrawal, reason } = command;
  emit('withdrawal-failed', { withdrawal, from, reason, ...given }, state, context);
  return undefined;
};

function knownWithdrawal(id: string, context: DecisionContext): WithdrawalState | Refusal {
  const state = context.state('withdrawal', id);
  return state.status === 'NONE' ? refuse('withdrawal-not-found', 'there is no such transfer') : state;
}

function wrongState({ status, reference }: WithdrawalState, to: string): Refusal {
  return refuse('invalid-state', `transfer ${reference} is ${status}: it cannot be ${to}`);
}

function emit(type: string, data: WithdrawalEvent['data'], { customer }: WithdrawalState, context: DecisionContext) {
  context.emit({ type, version: 1, data, tags: [tagOf('withdrawal', data.withdrawal), tagOf('customer', customer)] });
}

/**
 * Credits the wallet. One that takes nothing any more (closed, frozen, full) is replaced by the suspense account, so that
 * the money stands where staff find it. What staff reversed by hand before is not given back twice.
 */
function giveBack(
  { wallet, currency, entry, reference }: WithdrawalState,
  context: DecisionContext,
): { readonly entry?: string; readonly creditedTo?: string } | Refusal {
  const { reversedBy } = context.state('posting', entry);
  const mirrored = leftOf(entryOf(entry, context), reversedBy === undefined ? undefined : entryOf(reversedBy, context));
  if (mirrored.length === 0) return {};
  const suspense = rememberedAccountId(context.tenantId, systemAccountNumber('suspense', currency));
  let refusal: Refusal | undefined;
  for (const creditedTo of [wallet, suspense]) {
    const posted = postEntry(
      {
        ...(reversedBy === undefined ? { kind: 'reversal', reverses: entry } : { kind: 'posting' }),
        lines: mirrored.map((line) => (line.account === wallet ? { ...line, account: creditedTo } : line)),
        narration: 'Transfer to bank failed',
        reference,
        ignorePermission: true,
      },
      context,
    );
    if (!isRefusal(posted)) return { entry: posted.id, creditedTo };
    refusal = posted;
  }
  return refusal ?? {};
}

function entryOf(id: string, context: DecisionContext): EntryPosted {
  const event = context.event(id);
  if (event?.type !== 'entry-posted') throw new Error(`entry ${id} of a withdrawal is not in the log`);
  return event as EntryPosted;
}

/** The lines that undo what of an entry is not undone yet. */
function leftOf(original: EntryPosted, reversal: EntryPosted | undefined): LineDraft[] {
  return original.data.lines.flatMap(({ account, currency, side, amount }): LineDraft[] => {
    const undone = (reversal?.data.lines ?? [])
      .filter((line) => line.account === account)
      .reduce((sum, line) => sum + BigInt(line.amount), 0n);
    const left = BigInt(amount) - undone;
    return left > 0n ? [{ account, currency, side: side === 'debit' ? 'credit' : 'debit', amount: left }] : [];
  });
}
