import type { Decide, DecisionContext } from '../shared/decider.js';
import { convert, ExactDecimal } from '../shared/money.js';
import { isUuid } from '../shared/ids.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { rememberedAccountId, spendable } from './account.js';
import type { PostEntries, PostFxEntry, PostingInstruction, PostJournalEntry } from './commands.js';
import { type LineDraft, postEntry } from './entry.js';
import { checkTenant, hasRole } from './guards.js';
import { systemAccountNumber } from './products.js';

/**
 * post-account: each instruction is one entry; all of them or none. An instruction whose key was answered before is
 * not posted again: the processor puts the first answer in its place.
 */
export const decidePostEntries: Decide<PostEntries> = (command, context) => {
  const single = command.instructions.length === 1;
  for (let i = 0; i < command.instructions.length; i += 1) {
    const instruction = command.instructions[i];
    if (instruction === undefined) continue;
    const before = context.answered(instruction.key.id);
    if (before !== undefined) {
      if (before.requestHash !== instruction.key.requestHash) {
        return keyReused(single ? 'instructionIdempotencykey' : `${i}.instructionIdempotencykey`);
      }
      if (before.refusal !== undefined) return before.refusal;
      context.replay(before);
      continue;
    }
    // What was answered once is answered again, whatever has become of the tenant.
    const tenantRefusal = checkTenant(context);
    if (tenantRefusal !== undefined) return tenantRefusal;
    const refusal = postInstruction(instruction, context);
    if (refusal !== undefined) return single ? refusal : inInstruction(refusal, i);
  }
  return undefined;
};

export function keyReused(field?: string): Refusal {
  return refuse(
    'idempotency-key-reused',
    'this idempotency key was used for another request',
    field === undefined ? {} : { field },
  );
}

/** Says which instruction of an array was at fault. */
function inInstruction(refusal: Refusal, index: number): Refusal {
  return {
    ...refusal,
    field: refusal.field === undefined ? String(index) : `${index}.${refusal.field}`,
    details: { ...refusal.details, instruction: String(index) },
  };
}

function postInstruction(instruction: PostingInstruction, context: DecisionContext): Refusal | undefined {
  const force = instruction.force === true;
  if (force && !hasRole(context, 'CASHIER', 'MANAGER')) {
    return refuse('authority-required', 'an unarranged overdraft needs CASHIER authority');
  }
  const { tenantId } = context;
  const primary = rememberedAccountId(tenantId, instruction.primaryNumber);
  const primarySide = instruction.direction === 'debit-primary' ? 'debit' : 'credit';
  const otherSide = primarySide === 'debit' ? 'credit' : 'debit';
  let total = 0n;
  const others: LineDraft[] = [];
  for (const party of instruction.counterparties) {
    if (party.number === instruction.primaryNumber) {
      return refuse('invalid-argument', 'the primary account is its own counterparty', { field: 'counterParties' });
    }
    if (party.currency !== instruction.currency) {
      return refuse('currency-mismatch', 'a counterparty is in another currency than the instruction', {
        field: 'counterParties',
      });
    }
    total += party.amount;
    others.push({
      account: rememberedAccountId(tenantId, party.number),
      currency: party.currency,
      side: otherSide,
      amount: party.amount,
      narration: party.narration,
    });
  }
  const funding = fundOverdraft(instruction, primary, total, context);
  if (isRefusal(funding)) return funding;
  const posted = postEntry(
    {
      kind: 'posting',
      lines: [
        ...funding,
        { account: primary, currency: instruction.currency, side: primarySide, amount: total },
        ...others,
      ],
      valueDate: instruction.valueDate,
      narration: instruction.narration,
      reference: instruction.reference,
      instructionKey: instruction.key.text,
      force,
      key: instruction.key,
    },
    context,
  );
  return isRefusal(posted) ? posted : undefined;
}

/** Lines that move what the debited account lacks from the named account to it first, in the same entry. */
function fundOverdraft(
  instruction: PostingInstruction,
  primary: string,
  total: bigint,
  context: DecisionContext,
): LineDraft[] | Refusal {
  const from = instruction.overdraftFrom;
  if (from === undefined || instruction.direction !== 'debit-primary') return [];
  const source = isUuid(from) ? from : rememberedAccountId(context.tenantId, from);
  if (source === primary) {
    return refuse('invalid-argument', 'an account cannot fund its own overdraft', {
      field: 'insufficientFundHandler.overDraftFundOriginatingAccountNumberId',
    });
  }
  const available = spendable(context.state('account', primary));
  if (available === undefined || available >= total) return [];
  const shortfall = total - (available > 0n ? available : 0n);
  return [
    {
      account: source,
      currency: instruction.currency,
      side: 'debit',
      amount: shortfall,
      narration: 'overdraft funding',
    },
    {
      account: primary,
      currency: instruction.currency,
      side: 'credit',
      amount: shortfall,
      narration: 'overdraft funding',
    },
  ];
}

/** Any number of lines; must balance in each currency by itself. */
export const decidePostJournalEntry: Decide<PostJournalEntry> = (command, context) => {
  const tenantRefusal = checkTenant(context);
  if (tenantRefusal !== undefined) return tenantRefusal;
  if (command.force === true && !hasRole(context, 'CASHIER', 'MANAGER')) {
    return refuse('authority-required', 'an unarranged overdraft needs CASHIER authority');
  }
  const posted = postEntry(
    {
      kind: 'journal',
      lines: command.lines.map((line) => ({
        account: rememberedAccountId(context.tenantId, line.accountNumber),
        currency: line.currency,
        side: line.side,
        amount: line.amount,
        narration: line.narration,
      })),
      valueDate: command.valueDate,
      narration: command.narration,
      reference: command.reference,
      force: command.force,
    },
    context,
  );
  return isRefusal(posted) ? posted : undefined;
};

/**
 * Exchange: Dr source / Cr position in the source currency, Dr position / Cr target in the target currency: two
 * balanced halves in one entry. The counter amount is given, or is amount × rate rounded half-even.
 */
export const decidePostFxEntry: Decide<PostFxEntry> = (command, context) => {
  const tenantRefusal = checkTenant(context);
  if (tenantRefusal !== undefined) return tenantRefusal;
  const { sourceCurrency, targetCurrency, amount } = command;
  if (sourceCurrency === targetCurrency) {
    return refuse('currency-mismatch', 'an exchange needs two currencies', { field: 'targetCurrencyCode' });
  }
  const counter = counterAmount(command);
  if (isRefusal(counter)) return counter;
  const { tenantId } = context;
  const position = (currency: string) => rememberedAccountId(tenantId, systemAccountNumber('fx-position', currency));
  for (const currency of [sourceCurrency, targetCurrency]) {
    if (context.state('account', position(currency)).status === 'NONE') {
      return refuse('currency-not-enabled', `${currency} is not a currency of this tenant`);
    }
  }
  const posted = postEntry(
    {
      kind: 'fx',
      lines: [
        {
          account: rememberedAccountId(tenantId, command.sourceNumber),
          currency: sourceCurrency,
          side: 'debit',
          amount,
        },
        { account: position(sourceCurrency), currency: sourceCurrency, side: 'credit', amount },
        { account: position(targetCurrency), currency: targetCurrency, side: 'debit', amount: counter.amount },
        {
          account: rememberedAccountId(tenantId, command.targetNumber),
          currency: targetCurrency,
          side: 'credit',
          amount: counter.amount,
        },
      ],
      rate: counter.rate,
      valueDate: command.valueDate,
      narration: command.narration,
      reference: command.reference,
    },
    context,
  );
  return isRefusal(posted) ? posted : undefined;
};

function counterAmount(command: PostFxEntry): { amount: bigint; rate: string | undefined } | Refusal {
  const { rate, counterAmount: given } = command;
  if (rate === undefined) {
    return given === undefined
      ? refuse('invalid-argument', 'an exchange needs a rate or a counter amount', { field: 'rate' })
      : { amount: given, rate: undefined };
  }
  if (!/^\d{1,20}(\.\d{1,20})?$/.test(rate) || new ExactDecimal(rate).lte(0)) {
    return refuse('invalid-argument', 'the rate must be a positive decimal', { field: 'rate' });
  }
  const amount = convert(command.amount, command.sourceCurrency, command.targetCurrency, rate);
  if (amount <= 0n) return refuse('amount-out-of-range', 'the exchanged amount rounds to nothing', { field: 'amount' });
  if (given !== undefined && given !== amount) {
    return refuse('invalid-argument', 'the counter amount is not amount × rate, rounded half-even', {
      field: 'counterAmount',
    });
  }
  return { amount, rate };
}
